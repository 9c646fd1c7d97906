import {
  attachContainer,
  inspectContainer,
  killContainer,
  resizeContainer,
  startContainer,
  waitContainer,
} from "../../client/containers.ts";
import { EngineError, toldBy } from "../../client/error.ts";
import type { Engine } from "../../client/request.ts";
import { command } from "../command.ts";
import { Failure } from "../failure.ts";
import { bool, text } from "../flags/flag.ts";
import { err, out } from "../output.ts";
import { pump } from "../session/pump.ts";
import { proxySignals } from "../session/signals.ts";

export default command({
  name: "start",
  aliases: ["container start"],
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Start stopped containers",
  flags: {
    attach: bool("Show its output and pass signals on", { short: "a" }),
    "detach-keys": text("Keys that detach from the container"),
    interactive: bool("Attach to its standard input", { short: "i" }),
  },
  args: [1, Number.POSITIVE_INFINITY],
  own: ({ attach, interactive }) => attach || interactive,
  async run({ engine }, options, names) {
    if (options.attach || options.interactive) {
      if (names.length > 1) throw new Failure("you cannot start and attach multiple containers at once");
      return attached(engine, names[0] ?? "", options.interactive, options["detach-keys"]);
    }
    const failed: string[] = [];
    for (const name of names) {
      try {
        await startContainer(engine, name);
        out(`${name}\n`);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        err(`${toldBy(error)}\n`);
        failed.push(name);
      }
    }
    if (failed.length > 0) throw new Failure(`Error: failed to start containers: ${failed.join(", ")}`);
    return 0;
  },
});

async function attached(
  engine: Engine,
  name: string,
  interactive: boolean,
  detachKeys?: string,
): Promise<number> {
  const { Id: id, Config: config, HostConfig: host } = await inspectContainer(engine, name);
  const tty = config.Tty ?? false;
  const stdin = interactive && (config.OpenStdin ?? false);
  const stopProxy = tty ? () => {} : proxySignals((signal) => killContainer(engine, id, signal));
  const [stream, { ended }] = await Promise.all([
    attachContainer(engine, id, { stdin, stdout: true, stderr: true, detachKeys }),
    waitContainer(engine, id, host.AutoRemove ? "removed" : "next-exit"),
  ]);
  const terminal = tty ? await import("../session/terminal.ts") : undefined;
  const restore = terminal && stdin ? terminal.rawMode() : () => {};
  try {
    const pumping = pump(stream, { tty, stdin, detachKeys });
    await startContainer(engine, id);
    terminal?.followSize((height, width) => resizeContainer(engine, id, height, width));
    if ((await pumping) === "detached") return 0;
    return (await ended).StatusCode;
  } finally {
    restore();
    stopProxy();
  }
}
