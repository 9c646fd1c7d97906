import {
  attachContainer,
  inspectContainer,
  killContainer,
  resizeContainer,
  waitContainer,
} from "../../client/containers.ts";
import type { ContainerState } from "../../wire/inspect.ts";
import { command } from "../command.ts";
import { Failure } from "../failure.ts";
import { bool, text } from "../flags/flag.ts";
import { out } from "../output.ts";
import { pump } from "../session/pump.ts";
import { proxySignals } from "../session/signals.ts";

export default command({
  name: "attach",
  aliases: ["container attach"],
  usage: "[OPTIONS] CONTAINER",
  summary: "Connect to the standard input, output and error of a running container",
  flags: {
    "detach-keys": text("Keys that detach from the container"),
    "no-stdin": bool("Do not attach standard input"),
    "sig-proxy": bool("Pass signals on to the container", { initial: true }),
  },
  args: [1, 1],
  own: () => true,
  async run({ engine }, options, [name = ""]) {
    const { Id: id, Config: config, State: state } = await inspectContainer(engine, name);
    refuse(state);
    const tty = config.Tty ?? false;
    const stdin = !options["no-stdin"] && (config.OpenStdin ?? false);
    const terminal = tty ? await import("../session/terminal.ts") : undefined;
    if (terminal && stdin) terminal.requireTerminal();
    const detachKeys = options["detach-keys"];
    const stopProxy =
      options["sig-proxy"] && !tty ? proxySignals((signal) => killContainer(engine, id, signal)) : () => {};
    const { ended } = await waitContainer(engine, id, "not-running");
    const stream = await attachContainer(engine, id, { stdin, stdout: true, stderr: true, detachKeys });
    const restore = terminal && stdin ? terminal.rawMode() : () => {};
    try {
      terminal?.followSize((height, width) => resizeContainer(engine, id, height, width));
      if ((await pump(stream, { tty, stdin, detachKeys })) === "detached") {
        restore();
        out("read escape sequence\n");
        return 0;
      }
      return (await ended).StatusCode;
    } finally {
      restore();
      stopProxy();
    }
  },
});

function refuse(state: ContainerState): void {
  if (!state.Running) throw new Failure("You cannot attach to a stopped container, start it first");
  if (state.Paused) throw new Failure("You cannot attach to a paused container, unpause it first");
  if (state.Restarting)
    throw new Failure("You cannot attach to a restarting container, wait until it is running");
}
