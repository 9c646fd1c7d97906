/** A tar with one entry of no content, as `tar` writes it. */
export function tarOf(name: string, type = "0"): Buffer {
  const tar = Buffer.alloc(10240);
  tar.write(name, 0);
  // Mode, user, group, size, time, a blank checksum, and the type; then the magic of POSIX.
  tar.write(["0000644", "0001750", "0000035", "00000000000", "00000000000", "       "].join("\x00"), 100);
  tar.write(` ${type}`, 155);
  tar.write(["ustar", "00"].join("\x00"), 257);
  let sum = 0;
  for (let at = 0; at < 512; at++) sum += tar[at]!;
  tar.write(`${sum.toString(8).padStart(6, "0")}\x00 `, 148);
  return tar;
}
