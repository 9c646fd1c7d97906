import { engineInfo } from "../../client/system.ts";
import type { Info } from "../../wire/system.ts";
import { command } from "../command.ts";
import { text } from "../flags/flag.ts";
import { binarySize } from "../format/human.ts";
import { toJson } from "../format/print.ts";
import { execute, template } from "../format/rows.ts";
import { typed } from "../format/value.ts";
import { err, out } from "../output.ts";
import { VERSION } from "../version.ts";

export default command({
  name: "info",
  aliases: ["system info"],
  usage: "[OPTIONS]",
  summary: "Show how the engine and its machine are",
  flags: { format: text("Format: json or a TEMPLATE of Go", { short: "f" }) },
  args: [0, 0],
  async run({ engine, debug }, { format }) {
    const info = await engineInfo(engine);
    const value = typed({ ...info, ClientInfo: { Version: VERSION, Debug: debug } });
    if (format === "json") out(`${toJson(value)}\n`);
    else if (format !== undefined) out(`${execute(template(format), value)}\n`);
    else {
      out(
        `Client:\n Version:    ${VERSION}\n Debug Mode: ${debug}\n\nServer:\n${serverLines(info).join("\n")}\n\n`,
      );
      for (const warning of info.Warnings ?? []) err(`${warning}\n`);
    }
    return 0;
  },
});

function serverLines(it: Info): readonly string[] {
  const plugins = [
    ["Volume", it.Plugins?.Volume],
    ["Network", it.Plugins?.Network],
    ["Log", it.Plugins?.Log],
  ] as const;
  return [
    ` Containers: ${it.Containers}`,
    `  Running: ${it.ContainersRunning}`,
    `  Paused: ${it.ContainersPaused}`,
    `  Stopped: ${it.ContainersStopped}`,
    ` Images: ${it.Images}`,
    ` Server Version: ${it.ServerVersion}`,
    ` Storage Driver: ${it.Driver}`,
    ...(it.DriverStatus ?? []).map(([name, value]) => `  ${name}: ${value}`),
    ` Logging Driver: ${it.LoggingDriver}`,
    ` Cgroup Driver: ${it.CgroupDriver}`,
    ` Cgroup Version: ${it.CgroupVersion}`,
    " Plugins:",
    ...plugins.flatMap(([name, all]) => (all?.length ? [`  ${name}: ${all.join(" ")}`] : [])),
    ...(it.Swarm?.LocalNodeState ? [` Swarm: ${it.Swarm.LocalNodeState}`] : []),
    ` Runtimes: ${Object.keys(it.Runtimes ?? {})
      .sort()
      .join(" ")}`,
    ` Default Runtime: ${it.DefaultRuntime}`,
    " Security Options:",
    ...(it.SecurityOptions ?? []).flatMap(securityLines),
    ` Kernel Version: ${it.KernelVersion}`,
    ` Operating System: ${it.OperatingSystem}`,
    ` OSType: ${it.OSType}`,
    ` Architecture: ${it.Architecture}`,
    ` CPUs: ${it.NCPU}`,
    ` Total Memory: ${binarySize(it.MemTotal)}`,
    ` Name: ${it.Name}`,
    ` ID: ${it.ID}`,
    ` Root Dir: ${it.DockerRootDir}`,
    ` Debug Mode: ${it.Debug}`,
    ...((it.Labels ?? []).length ? [" Labels:", ...(it.Labels ?? []).map((label) => `  ${label}`)] : []),
    ` Live Restore Enabled: ${it.LiveRestoreEnabled}`,
  ];
}

/** `name=seccomp,profile=builtin` over two lines. */
function securityLines(option: string): readonly string[] {
  const parts = option.split(",").map((part) => part.split("="));
  return parts.map(([name = "", value = ""]) =>
    name === "name" ? `  ${value}` : `   ${name.charAt(0).toUpperCase()}${name.slice(1)}: ${value}`,
  );
}
