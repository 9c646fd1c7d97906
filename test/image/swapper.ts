import { renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";

/**
 * A process of a container, run as a program of its own: it swaps things in a tree for links to somewhere else and
 * back, as fast as it can, until it is killed. `swapper.ts TREE TARGET`: the directory `TREE/d`, and whatever becomes
 * `TREE/d/special` or `TREE/plain`.
 */
const [, , tree = "", target = ""] = process.argv;
const [directory, aside, link, special, plain] = ["d", "aside", "link", "d/special", "plain"].map(
  (name) => `${tree}/${name}`,
) as [string, string, string, string, string];
const attempt = (what: () => void): void => {
  try {
    what();
  } catch {
    // The other side was faster.
  }
};
symlinkSync(target, link);
console.log("swapping");
for (let round = 0; ; round++) {
  attempt(() => renameSync(directory, aside));
  attempt(() => renameSync(link, directory));
  attempt(() => renameSync(directory, link));
  attempt(() => renameSync(aside, directory));
  for (const path of [special, plain]) {
    attempt(() => unlinkSync(path));
    attempt(() => symlinkSync(`${target}/secret`, path));
    attempt(() => (round % 7 === 0 ? rmSync(path) : undefined));
  }
}
