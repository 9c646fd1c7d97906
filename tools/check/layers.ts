/**
 * What each folder of `src/` may import, lowest first: the table of ARCHITECTURE.md, "Folders, lowest first",
 * which the check compares with this one. A folder may always import itself. A new folder is a new line here
 * and there.
 */
const below = {
  kernel: [],
  plan: ["kernel"],
  host: [],
  oci: [],
  wire: ["oci"],
  cgroup: ["plan", "kernel", "oci", "wire"],
  // One line of the table: a snapshot is made of an archive, an image of snapshots.
  storage: ["image", "oci", "wire", "plan", "kernel", "host"],
  image: ["storage", "oci", "wire", "plan", "kernel", "host"],
  network: ["storage", "plan", "kernel", "oci", "wire", "host"],
  volume: ["storage", "image", "plan", "kernel", "oci", "wire", "host"],
} as const;

const engineSide = Object.keys(below);

/** Folder of `src/` → the folders it may import. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  ...below,
  container: engineSide,
  build: [...engineSide, "container"],
  // Beside the engine: the command line hands over to it, and it needs no engine.
  runtime: ["container", "cgroup", "storage", "plan", "kernel", "oci", "wire", "host"],
  engine: [...engineSide, "container", "build"],
  // From `container` the words that both sides of the socket speak: times, log entries, detach keys.
  api: ["engine", "container", "wire", "oci", "host"],
  // The machine code that `dist/cais` begins with, made when it is built.
  front: ["wire", "plan", "kernel"],
  client: ["wire", "oci", "host"],
  cli: ["client", "wire", "oci", "host"],
};

/** Single files that may import more than their folder, and why. */
export const exceptions: Readonly<Record<string, readonly string[]>> = {
  // Which of the two an executable is, is the first thing that is looked at.
  "src/cli/main.ts": ["runtime"],
  // `cais serve` is the engine: the one command that is not a client of it.
  "src/cli/commands/serve.ts": ["api"],
  // `cp` and `build` read and write archives: the codec of the image folder, which touches nothing else of it.
  "src/cli/copy/tar.ts": ["image"],
};

/** The only folder of `src/` that may name what Bun has and Node has not. */
export const runtimeFolder = "host";
