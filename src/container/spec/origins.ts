/** Collects which option caused which part of a runtime configuration. */
export interface Origins {
  /**
   * `part` is a path in the configuration: `linux.resources.memory.limit`, `mounts[7]`. A device to be made goes by its
   * own path, `linux.devices[/dev/fuse]`, since the runtime adds some of its own to the list.
   */
  readonly add: (part: string, option: string) => void;
  readonly all: ReadonlyMap<string, string>;
}

/** An empty collection. */
export function origins(): Origins {
  const all = new Map<string, string>();
  return { add: (part, option) => all.set(part, option), all };
}

/** Bytes as people type them: `48m`, `65536k`, `100`. */
export function typedBytes(bytes: number): string {
  const units = ["", "k", "m", "g", "t"];
  let unit = 0;
  let value = bytes;
  while (value !== 0 && value % 1024 === 0 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value}${units[unit]}`;
}

/** An argument as a shell needs it. */
export function typedWord(word: string): string {
  return /^[\w@%+=:,./~^-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
