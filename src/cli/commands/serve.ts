import { socketIn } from "../../wire/front.ts";
import { command } from "../command.ts";
import { Failure } from "../failure.ts";
import { list, text } from "../flags/flag.ts";
import { tlsFlags } from "../flags/tls.ts";
import { tlsPaths } from "../tls.ts";

export default command({
  name: "serve",
  usage: "[OPTIONS]",
  summary: "Run the engine",
  flags: {
    group: text("Group that may use the socket", { shown: '"docker"' }),
    host: list("Where to listen: unix:///path, tcp://host:port or fd:// (systemd)", { short: "H" }),
    "log-level": text("debug, info, warn or error", { shown: '"info"' }),
    "read-only-api": list("Where to serve the API for looking only (an address as of --host)"),
    root: text("Directory of the engine's state"),
    run: text("Directory of its sockets and running containers"),
    ...tlsFlags,
  },
  args: [0, 0],
  own: () => true,
  async run(context, options, _args, given) {
    if (process.geteuid?.() !== 0)
      throw new Failure("Cannot run the engine: cais must be root for that. Try: sudo cais serve", 125);
    // Loaded only here, so that no other command carries the engine.
    const { serve } = await import("../../api/serve.ts");
    const { commandsAt } = await import("../remote/serve.ts");
    const run = options.run ?? context.run;
    const secured = options.tls || options.tlsverify;
    const ready = Number(process.env.CAIS_READY_FD ?? Number.NaN);
    delete process.env.CAIS_READY_FD;
    return serve({
      root: options.root ?? context.root,
      run,
      hosts: options.host.length > 0 ? options.host : [`unix://${socketIn(run)}`],
      readOnlyHosts: options["read-only-api"],
      ...(options.group !== undefined && { group: options.group }),
      ...(secured
        ? { tls: { ...tlsPaths(options, process.env), verify: options.tlsverify } }
        : (given.has("tls") || given.has("tlsverify")) && { tls: "plain" as const }),
      commands: (path) => commandsAt(context.dispatch, path),
      logLevel: options["log-level"] ?? (context.debug ? "debug" : "info"),
      ...(Number.isInteger(ready) && { readyFd: ready }),
    });
  },
});
