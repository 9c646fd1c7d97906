import { NoEngineError } from "../../client/error.ts";
import { engineVersion } from "../../client/system.ts";
import { command } from "../command.ts";
import { withMethods } from "../container/row.ts";
import { text } from "../flags/flag.ts";
import { toJson } from "../format/print.ts";
import { execute, template } from "../format/rows.ts";
import { typed, type Value } from "../format/value.ts";
import { err, out } from "../output.ts";
import { VERSION } from "../version.ts";

export default command({
  name: "version",
  usage: "[OPTIONS]",
  summary: "Show the versions of the command line and the engine",
  flags: { format: text("Format: json or a TEMPLATE of Go", { short: "f" }) },
  args: [0, 0],
  async run({ engine }, { format }) {
    const arch = process.arch === "x64" ? "amd64" : process.arch;
    const client = {
      Version: VERSION,
      Runtime: process.versions.bun ?? process.version,
      Os: "linux",
      Arch: arch,
    };
    try {
      // Asking for a version is no reason to start an engine.
      const server = await engineVersion({ endpoint: engine.endpoint });
      const both = typed({ Client: client, Server: server });
      // Go's name of the field, which templates use, is not that of its JSON.
      for (const side of Object.values(both as Record<string, Record<string, Value>>))
        withMethods(side, { APIVersion: () => server.ApiVersion });
      if (format === "json") out(`${toJson(both)}\n`);
      else if (format !== undefined) out(`${execute(template(format), both)}\n`);
      else out(`${clientText(client)}\n\n${serverText(server)}\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof NoEngineError)) throw error;
      const alone = typed({ Client: client, Server: null });
      if (format === "json") out(`${toJson(alone)}\n`);
      else if (format !== undefined) out(`${execute(template(format), alone)}\n`);
      else out(`${clientText(client)}\n`);
      err(`${error.message}\n`);
      return 1;
    }
  },
});

function clientText(it: {
  readonly Version: string;
  readonly Runtime: string;
  readonly Os: string;
  readonly Arch: string;
}) {
  return [
    "Client:",
    ` Version:           ${it.Version}`,
    ` Runtime:           ${it.Runtime}`,
    ` OS/Arch:           ${it.Os}/${it.Arch}`,
  ].join("\n");
}

function serverText(it: Awaited<ReturnType<typeof engineVersion>>): string {
  const rows: (readonly [string, string | undefined])[] = [
    ["Version:", it.Version],
    ["API version:", `${it.ApiVersion} (minimum version ${it.MinAPIVersion})`],
    ["Git commit:", it.GitCommit],
    ["Built:", it.BuildTime],
    ["OS/Arch:", `${it.Os}/${it.Arch}`],
    ["Kernel:", it.KernelVersion],
  ];
  const engine = rows.filter(([, value]) => value).map(([name, value]) => `  ${name.padEnd(17)} ${value}`);
  const others = (it.Components ?? [])
    .filter((part) => part.Name !== "Engine")
    .map((part) => ` ${part.Name}:\n  ${"Version:".padEnd(17)} ${part.Version}`);
  return ["Server:", " Engine:", ...engine, ...others].join("\n");
}
