import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../check/sources.ts";

/**
 * Builds `dist/cais`: the command line, the engine and the runtime in one executable; and `dist/cais-runtime`, which
 * calls it as a runtime.
 */
const entry = join(ROOT, "src/cli/main.ts");
const output = join(ROOT, "dist/cais");

/**
 * For containerd, podman and dockerd, which name a program without arguments. A runtime's commands end before code that
 * was compiled meanwhile could be of use: without that they take two thirds of the processor time.
 */
const RUNTIME = `#!/bin/sh
self=$0
[ -L "$self" ] && self=$(readlink -f "$self")
BUN_JSC_useJIT=0 exec "\${self%/*}/cais" runtime "$@"
`;

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
];

if (existsSync(entry)) {
  mkdirSync(join(ROOT, "dist"), { recursive: true });
  const built = spawnSync(process.execPath, ["build", ...OPTIONS, `--outfile=${output}`, entry], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (built.status === 0) writeFileSync(`${output}-runtime`, RUNTIME, { mode: 0o755 });
  if (built.status === 0) console.log(`${output}: ${Math.round(statSync(output).size / 2 ** 20)} MiB`);
  else {
    console.error(`Cannot build ${output}:\n${built.stdout}${built.stderr}`);
    process.exitCode = 1;
  }
} else {
  console.error(`Cannot build ${output}: ${entry} is not there`);
  process.exitCode = 1;
}
