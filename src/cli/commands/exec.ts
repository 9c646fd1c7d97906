import { attachExec, createExec, inspectExec, resizeExec, startExec } from "../../client/execs.ts";
import { command } from "../command.ts";
import { environment } from "../container/environment.ts";
import { bool, list, text } from "../flags/flag.ts";
import { out } from "../output.ts";
import { pump } from "../session/pump.ts";

export default command({
  name: "exec",
  aliases: ["container exec"],
  usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
  summary: "Run a command in a running container",
  flags: {
    detach: bool("Run it in the background", { short: "d" }),
    "detach-keys": text("Keys that detach from the command"),
    env: list("Set environment variables", { short: "e" }),
    "env-file": list("Read environment variables from a file"),
    interactive: bool("Keep standard input open", { short: "i" }),
    privileged: bool("Give the command the host's privileges"),
    tty: bool("Give the command a terminal", { short: "t" }),
    user: text("User and group (name|uid[:name|gid])", { short: "u" }),
    workdir: text("Working directory", { short: "w" }),
  },
  args: [2, Number.POSITIVE_INFINITY],
  stopAtFirst: true,
  own: ({ interactive, tty }) => interactive || tty,
  async run({ engine }, options, [container = "", ...argv]) {
    const { detach, tty } = options;
    const stdin = options.interactive && !detach;
    const terminal = tty && !detach ? await import("../session/terminal.ts") : undefined;
    if (terminal && stdin) terminal.requireTerminal();
    const size = terminal?.terminalSize();
    const detachKeys = options["detach-keys"];
    const id = await createExec(engine, container, {
      AttachStdin: stdin,
      AttachStdout: !detach,
      AttachStderr: !detach,
      Tty: tty,
      Cmd: argv,
      Env: environment(options["env-file"], options.env),
      Privileged: options.privileged,
      ...(options.user !== undefined && { User: options.user }),
      ...(options.workdir !== undefined && { WorkingDir: options.workdir }),
      ...(detachKeys !== undefined && { DetachKeys: detachKeys }),
      ...(size && { ConsoleSize: size }),
    });
    if (detach) {
      await startExec(engine, id);
      return 0;
    }
    const restore = terminal && stdin ? terminal.rawMode() : () => {};
    try {
      const stream = await attachExec(engine, id, {
        Detach: false,
        Tty: tty,
        ...(size && { ConsoleSize: size }),
      });
      terminal?.followSize((height, width) => resizeExec(engine, id, height, width));
      if ((await pump(stream, { tty, stdin, detachKeys })) === "detached") {
        restore();
        out("read escape sequence\n");
        return 0;
      }
      return (await inspectExec(engine, id)).ExitCode ?? 0;
    } finally {
      restore();
    }
  },
});
