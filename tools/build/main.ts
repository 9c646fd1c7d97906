import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { embedFront, originalOf } from "../../src/front/embed.ts";
import { frontProgram } from "../../src/front/program.ts";
import { ROOT } from "../check/sources.ts";

/**
 * `npm run build [-- DIRECTORY]` builds `dist/cais`: the command line, the engine and the runtime in one executable,
 * with the front before them; and `dist/cais-runtime`, its name as a runtime, for containerd, podman and dockerd, which
 * name a program without arguments.
 */
const entry = join(ROOT, "src/cli/main.ts");
const directory = process.argv[2] ?? join(ROOT, "dist");
const output = join(directory, "cais");
const build = sourcesDigest();

const OPTIONS = [
  "--compile",
  "--minify",
  "--bytecode",
  // Only what a command needs is loaded: with the whole engine in one piece each command takes 3 ms longer.
  "--format=esm",
  "--splitting",
  // Otherwise the executable obeys a .env and a bunfig.toml of whatever directory it is called in.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  `--define=CAIS_BUILD="${build}"`,
];

if (existsSync(entry)) {
  mkdirSync(directory, { recursive: true });
  const made = `${output}.new`;
  const built = spawnSync(process.execPath, ["build", ...OPTIONS, `--outfile=${made}`, entry], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (built.status === 0) {
    const runtime = readFileSync(made);
    const whole = embedFront(runtime, frontProgram({ build, original: originalOf(runtime) }));
    writeFileSync(made, whole);
    chmodSync(made, 0o755);
    renameSync(made, output);
    rmSync(`${output}-runtime`, { force: true });
    symlinkSync("cais", `${output}-runtime`);
    console.log(`${output}: ${Math.round(whole.length / 2 ** 20)} MiB`);
  } else {
    console.error(`Cannot build ${output}:\n${built.stdout}${built.stderr}`);
    process.exitCode = 1;
  }
} else {
  console.error(`Cannot build ${output}: ${entry} is not there`);
  process.exitCode = 1;
}

/** Of everything that the executable is made from. */
function sourcesDigest(): string {
  const hash = createHash("sha256");
  for (const path of ["package-lock.json", ...globSync("src/**/*.ts", { cwd: ROOT }).sort()])
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(ROOT, path)))
      .update("\0");
  return hash.digest("hex").slice(0, 16);
}
