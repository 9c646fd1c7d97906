import { command } from "../command.ts";
import { Failure } from "../failure.ts";
import { list, text } from "../flags/flag.ts";

export default command({
  name: "serve",
  usage: "[OPTIONS]",
  summary: "Run the engine",
  flags: {
    host: list("Where to listen: unix:///path or tcp://host:port", { short: "H" }),
    "log-level": text("debug, info, warn or error", { shown: '"info"' }),
    root: text("Directory of the engine's state"),
    run: text("Directory of its sockets and running containers"),
  },
  args: [0, 0],
  async run(context, options) {
    if (process.geteuid?.() !== 0)
      throw new Failure("Cannot run the engine: cais must be root for that. Try: sudo cais serve", 125);
    // Loaded only here, so that no other command carries the engine.
    const { serve } = await import("../../api/serve.ts");
    const run = options.run ?? context.run;
    const ready = Number(process.env.CAIS_READY_FD ?? Number.NaN);
    delete process.env.CAIS_READY_FD;
    return serve({
      root: options.root ?? context.root,
      run,
      hosts: options.host.length > 0 ? options.host : [`unix://${run}/cais.sock`],
      logLevel: options["log-level"] ?? (context.debug ? "debug" : "info"),
      ...(Number.isInteger(ready) && { readyFd: ready }),
    });
  },
});
