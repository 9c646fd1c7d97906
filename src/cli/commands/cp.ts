import { command } from "../command.ts";
import { Failure } from "../failure.ts";
import { bool } from "../flags/flag.ts";

export default command({
  name: "cp",
  aliases: ["container cp"],
  usage: "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tcais cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
  summary: "Copy files between a container and this machine",
  details:
    "As the source, - is a tar archive on standard input; as the destination, - is one on standard output.",
  flags: {
    archive: bool("Keep owners and groups", { short: "a" }),
    "follow-link": bool("Copy what a link at SRC_PATH points to", { short: "L" }),
    quiet: bool("Say nothing", { short: "q" }),
  },
  args: [2, 2],
  own: () => true,
  async run({ engine }, options, [source = "", destination = ""]) {
    const from = splitPlace(source);
    const to = splitPlace(destination);
    if (source === "") throw new Failure("source can not be empty");
    if (destination === "") throw new Failure("destination can not be empty");
    if (from.container !== undefined && to.container !== undefined)
      throw new Failure("copying between containers is not supported");
    for (const { container, path } of [from, to])
      if (container !== undefined && path === "")
        throw new Failure(`Cannot copy: name a path in the container after ${container}: (/ is all of it)`);
    if (from.container !== undefined) {
      const { copyOut } = await import("../copy/out.ts");
      await copyOut(engine, from.container, from.path, to.path, {
        followLink: options["follow-link"],
        quiet: options.quiet,
      });
      return 0;
    }
    if (to.container === undefined) throw new Failure("must specify at least one container source");
    const { copyIn } = await import("../copy/in.ts");
    await copyIn(engine, to.container, from.path, to.path, {
      followLink: options["follow-link"],
      archive: options.archive,
      quiet: options.quiet,
    });
    return 0;
  },
});

/** `container:path`; an absolute path, or one that begins with a dot, is one of this machine's. */
function splitPlace(text: string): { readonly container?: string; readonly path: string } {
  const colon = text.indexOf(":");
  if (text.startsWith("/") || text.startsWith(".") || colon < 0) return { path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}
