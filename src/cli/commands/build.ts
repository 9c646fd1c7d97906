import { writeFileSync } from "node:fs";
import { buildImage } from "../../client/images.ts";
import type { Query } from "../../client/request.ts";
import { ping } from "../../client/system.ts";
import { buildContext } from "../build/context.ts";
import { caller } from "../caller/caller.ts";
import { command } from "../command.ts";
import { labels } from "../container/environment.ts";
import type { Values } from "../flags/flag.ts";
import { bool, int, list, parsed, parsedList, text } from "../flags/flag.ts";
import { bytes, bytesOrUnlimited, cut, ulimit } from "../flags/quantity.ts";
import { showProgress } from "../image/progress.ts";

const flags = {
  "add-host": list("Add a line to /etc/hosts (host:ip)"),
  "build-arg": list("Set variables of the build (name=value)"),
  "cache-from": list("Images whose layers may be used again", { type: "strings" }),
  "cgroup-parent": text("Cgroup to make the cgroups of RUN in"),
  "cpu-period": int("Length of a CFS period in microseconds"),
  "cpu-quota": int("CPU time in a CFS period in microseconds"),
  "cpu-shares": int("CPU shares (relative weight)", { short: "c" }),
  "cpuset-cpus": text("CPUs to run on (0-3, 0,1)"),
  "cpuset-mems": text("Memory nodes to use (0-3, 0,1)"),
  file: text("Where the Dockerfile is", { short: "f" }),
  "force-rm": bool("Remove intermediate containers always"),
  iidfile: text("Write the image's ID to this file"),
  label: list("Set labels of the image"),
  memory: parsed("bytes", "Memory limit", bytes, { short: "m" }),
  "memory-swap": parsed("bytes", "Memory and swap together; -1 for no limit on swap", bytesOrUnlimited),
  network: text("Network of RUN"),
  "no-cache": bool("Do not use layers of earlier builds"),
  platform: text("Platform of the image"),
  pull: bool("Look for newer versions of the base images"),
  quiet: bool("Print the image's ID only", { short: "q" }),
  rm: bool("Remove intermediate containers after a build", { initial: true }),
  "security-opt": list("Security options", { type: "strings" }),
  "shm-size": parsed("bytes", "Size of /dev/shm", bytes),
  squash: bool("Make one layer of the new ones"),
  tag: list("Name of the image (name:tag)", { short: "t" }),
  target: text("Stage to stop at"),
  ulimit: parsedList("ulimit", "Limits of processes (name=soft[:hard])", ulimit),
} as const;

export default command({
  name: "build",
  aliases: ["image build"],
  usage: "[OPTIONS] PATH | -",
  summary: "Make an image from a Dockerfile",
  flags,
  args: [1, 1],
  own: () => true,
  async run({ engine }, options, [path = ""]) {
    const context = await buildContext(path, options.file);
    await ping(engine);
    const response = await buildImage(engine, query(options, context.dockerfile), context.tar);
    // With -q the engine itself says nothing but the id.
    const id = await showProgress(response, { to: 1 });
    if (options.iidfile && id) writeFileSync(options.iidfile, id);
    return 0;
  },
});

/** Docker Engine API, `POST /build`. */
function query(options: Values<typeof flags>, dockerfile: string): Query {
  const json = (value: object) => (Object.keys(value).length > 0 ? JSON.stringify(value) : undefined);
  return {
    t: options.tag,
    dockerfile,
    buildargs: json(Object.fromEntries(options["build-arg"].map(buildArgument))),
    cachefrom: json(options["cache-from"]),
    cgroupparent: options["cgroup-parent"],
    cpuperiod: options["cpu-period"],
    cpuquota: options["cpu-quota"],
    cpushares: options["cpu-shares"],
    cpusetcpus: options["cpuset-cpus"],
    cpusetmems: options["cpuset-mems"],
    extrahosts: options["add-host"],
    forcerm: options["force-rm"],
    labels: json(labels([], options.label)),
    memory: options.memory,
    memswap: options["memory-swap"],
    networkmode: options.network,
    nocache: options["no-cache"],
    platform: options.platform,
    pull: options.pull,
    q: options.quiet,
    rm: options.rm ? "1" : "0",
    securityopt: json(options["security-opt"]),
    shmsize: options["shm-size"],
    squash: options.squash,
    target: options.target,
    ulimits: json(options.ulimit),
  };
}

/** `NAME` alone takes its value from here; null says that there is none. */
function buildArgument(text: string): readonly [string, string | null] {
  const [name, value] = cut(text, "=");
  return [name, value ?? caller().environment[name] ?? null];
}
