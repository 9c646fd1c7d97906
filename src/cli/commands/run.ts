import {
  attachContainer,
  killContainer,
  resizeContainer,
  startContainer,
  waitContainer,
} from "../../client/containers.ts";
import type { Engine } from "../../client/request.ts";
import { command } from "../command.ts";
import { attachments, createRequest, type Invocation } from "../container/config.ts";
import { makeContainer } from "../container/create.ts";
import { startFailure } from "../container/exitcode.ts";
import { runFlags } from "../container/flags.ts";
import { Failure } from "../failure.ts";
import type { Values } from "../flags/flag.ts";
import { out } from "../output.ts";
import { pump } from "../session/pump.ts";
import { proxySignals } from "../session/signals.ts";

type RunOptions = Values<typeof runFlags>;

export default command({
  name: "run",
  aliases: ["container run"],
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  summary: "Make a container from an image and run a command in it",
  flags: runFlags,
  args: [1, Number.POSITIVE_INFINITY],
  stopAtFirst: true,
  own: ({ attach, interactive, tty }) => interactive || tty || attach.length > 0,
  async run({ engine }, options, [image = "", ...argv]) {
    if (options.detach && options.attach.length > 0)
      throw new Failure("conflicting options: cannot specify both --attach and --detach", 125);
    const attached = attachments(options, options.detach);
    const terminal = options.tty ? await import("../session/terminal.ts") : undefined;
    if (terminal && attached.stdin && !options["dry-run"]) terminal.requireTerminal();
    const size = terminal?.terminalSize();
    const invocation: Invocation = {
      image,
      command: argv,
      detach: options.detach,
      ...(size && { consoleSize: size }),
      ...(options.trace && { annotations: { "cais.trace": "1" } }),
    };
    const body = createRequest(options, invocation);
    if (options["dry-run"]) {
      const { plan } = await import("../../client/system.ts");
      out(await plan(engine, "explain", body));
      return 0;
    }
    const id = await makeContainer(engine, options, body);
    if (!attached.stdin && !attached.stdout && !attached.stderr) {
      try {
        await startContainer(engine, id, options.trace);
      } catch (error) {
        // It is there all the same: whoever keeps the id can remove it.
        out(`${id}\n`);
        throw startFailure(error);
      }
      out(`${id}\n`);
      if (options.trace) await (await import("../container/trace.ts")).printTrace(engine, id);
      return 0;
    }
    return foreground(engine, id, options, attached);
  },
});

/** Attached and waited for before it starts, so that neither its first byte nor its end can be missed. */
async function foreground(
  engine: Engine,
  id: string,
  options: RunOptions,
  attached: ReturnType<typeof attachments>,
): Promise<number> {
  const { tty } = options;
  const detachKeys = options["detach-keys"];
  if (detachKeys !== undefined) (await import("../session/keys.ts")).keyBytes(detachKeys);
  const stopProxy = options["sig-proxy"]
    ? proxySignals((signal) => killContainer(engine, id, signal))
    : () => {};
  const [stream, waiting] = await Promise.all([
    attachContainer(engine, id, { ...attached, detachKeys }),
    waitContainer(engine, id, options.rm ? "removed" : "next-exit"),
  ]);
  const terminal = tty ? await import("../session/terminal.ts") : undefined;
  const restore = terminal && attached.stdin ? terminal.rawMode() : () => {};
  try {
    const pumping = pump(stream, { tty, ...attached, detachKeys });
    await startContainer(engine, id, options.trace).catch(async (error) => {
      // Docker's engine removes what was to be removed also when it could not start.
      if (options.rm) await waiting.ended.catch(() => {});
      throw startFailure(error);
    });
    terminal?.followSize((height, width) => resizeContainer(engine, id, height, width));
    const tracing = options.trace
      ? (await import("../container/trace.ts")).fetchTrace(engine, id)
      : undefined;
    const how = await pumping;
    restore();
    if (tracing) (await import("../container/trace.ts")).showTrace(await tracing);
    if (how === "detached") return tellDetached();
    return (await waiting.ended).StatusCode;
  } finally {
    restore();
    stopProxy();
  }
}

function tellDetached(): number {
  out("read escape sequence\n");
  return 0;
}
