import { totalmem } from "node:os";
import { controllerDirectory, type Layout } from "../cgroup/layout.ts";
import { parseList } from "../cgroup/ranges.ts";
import { readKernel, readKeyed } from "../cgroup/read.ts";
import { blkioStats } from "../cgroup/stats-blkio.ts";

/** A count as the kernel wrote it: some do not fit in a JavaScript number. */
type Count = number | { readonly rawJSON: string };

const raw = (text: string): Count =>
  text.length < 16
    ? Number(text)
    : (JSON as unknown as { rawJSON(text: string): { readonly rawJSON: string } }).rawJSON(text);

const NO_LIMIT = "18446744073709551615";
const TICK = 10_000_000;

/** Without what is zero or absent, as Go's `omitempty` leaves out. */
function filled(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== 0 && value !== undefined));
}

const count = (file: string): Count | undefined => {
  const text = readKernel(file).trim();
  return text === "" ? undefined : raw(text === "max" ? NO_LIMIT : text);
};

/** What `events --stats` says of a cgroup, in runc's words: containerd and cAdvisor read it. */
export function statsOf(layout: Layout, cgroup: string): object {
  const of = (controller: string) => controllerDirectory(layout, controller, cgroup);
  const v2 = (controller: string) => layout.controllers.get(controller)?.version === 2;
  const memory = of("memory");
  const cpuset = of("cpuset");
  const pids = of("pids");
  return {
    cpu: cpu(of("cpu"), of("cpuacct")),
    cpuset: cpuset === undefined || v2("cpuset") ? unifiedCpuset(cpuset) : legacyCpuset(cpuset),
    memory: memory === undefined ? {} : v2("memory") ? unifiedMemory(memory) : legacyMemory(memory),
    pids: filled({
      current: pids && count(`${pids}/pids.current`),
      limit: pids && limitOf(`${pids}/pids.max`),
    }),
    blkio: blkio(layout, cgroup),
    hugetlb: {},
    intel_rdt: {},
    network_interfaces: null,
  };
}

/** Left out where there is none. */
const limitOf = (file: string) => (readKernel(file).trim() === "max" ? undefined : count(file));

function cpu(directory: string | undefined, accounting: string | undefined): object {
  const stat = directory === undefined ? new Map<string, number>() : readKeyed(`${directory}/cpu.stat`);
  const at = (key: string) => stat.get(key) ?? 0;
  const throttling = filled({
    periods: at("nr_periods"),
    throttledPeriods: at("nr_throttled"),
    throttledTime: stat.has("throttled_usec") ? at("throttled_usec") * 1000 : at("throttled_time"),
  });
  if (accounting === undefined)
    return {
      usage: {
        ...filled({ total: at("usage_usec") * 1000 }),
        kernel: at("system_usec") * 1000,
        user: at("user_usec") * 1000,
      },
      throttling,
      ...pressure(directory, "cpu"),
    };
  const modes = readKeyed(`${accounting}/cpuacct.stat`);
  const each = readKernel(`${accounting}/cpuacct.usage_all`).trim().split("\n").slice(1);
  const column = (index: number) => each.map((line) => Number(line.split(" ")[index] ?? 0));
  const percpu = readKernel(`${accounting}/cpuacct.usage_percpu`).trim();
  return {
    usage: {
      ...filled({
        total: count(`${accounting}/cpuacct.usage`),
        percpu: percpu === "" ? undefined : percpu.split(" ").map(Number),
        percpu_kernel: each.length === 0 ? undefined : column(2),
        percpu_user: each.length === 0 ? undefined : column(1),
      }),
      kernel: (modes.get("system") ?? 0) * TICK,
      user: (modes.get("user") ?? 0) * TICK,
    },
    throttling,
  };
}

const CPUSET_FLAGS = [
  "cpu_exclusive",
  "mem_hardwall",
  "mem_exclusive",
  "memory_migrate",
  "memory_spread_page",
  "memory_spread_slab",
  "memory_pressure",
  "sched_load_balance",
  "sched_relax_domain_level",
] as const;

function legacyCpuset(directory: string): object {
  const list = (name: string) => [...(parseList(readKernel(`${directory}/cpuset.${name}`)) ?? [])];
  return {
    cpus: list("cpus"),
    ...Object.fromEntries(CPUSET_FLAGS.map((name) => [name, count(`${directory}/cpuset.${name}`) ?? 0])),
    mems: list("mems"),
  };
}

/** v2 has none of the flags; Go writes its zeros. */
function unifiedCpuset(directory: string | undefined): object {
  const list = (name: string) => [...(parseList(readKernel(`${directory}/cpuset.${name}.effective`)) ?? [])];
  const flags = Object.fromEntries(CPUSET_FLAGS.map((name) => [name, 0]));
  return { ...flags, ...(directory === undefined ? {} : { cpus: list("cpus"), mems: list("mems") }) };
}

function legacyMemory(directory: string): object {
  const entry = (name: string) => {
    const at = (what: string) => count(`${directory}/memory.${name}${what}`);
    return {
      limit: at("limit_in_bytes") ?? 0,
      ...filled({ usage: at("usage_in_bytes"), max: at("max_usage_in_bytes") }),
      failcnt: at("failcnt") ?? 0,
    };
  };
  const lines = readKernel(`${directory}/memory.stat`).trim().split("\n");
  const stat = new Map(lines.map((line) => line.split(" ", 2) as [string, string]));
  return {
    ...filled({ cache: Number(stat.get("cache") ?? 0) }),
    usage: entry(""),
    swap: entry("memsw."),
    kernel: entry("kmem."),
    kernelTCP: entry("kmem.tcp."),
    raw: Object.fromEntries([...stat].map(([key, value]) => [key, raw(value)])),
  };
}

function unifiedMemory(directory: string): object {
  const stat = readKeyed(`${directory}/memory.stat`);
  const usage = Number(readKernel(`${directory}/memory.current`));
  const swap = Number(readKernel(`${directory}/memory.swap.current`) || 0);
  const limit = (name: string) => count(`${directory}/${name}`) ?? totalmem();
  const events = readKeyed(`${directory}/memory.events`);
  return {
    ...filled({ cache: stat.get("file") }),
    usage: {
      limit: limit("memory.max"),
      ...filled({ usage, max: count(`${directory}/memory.peak`) }),
      failcnt: events.get("max") ?? 0,
    },
    // In v1's words swap is memory and swap together.
    swap: { limit: limit("memory.swap.max"), ...filled({ usage: usage + swap }), failcnt: 0 },
    kernel: { limit: 0, failcnt: 0 },
    kernelTCP: { limit: 0, failcnt: 0 },
    raw: Object.fromEntries(stat),
    ...pressure(directory, "memory"),
  };
}

function blkio(layout: Layout, cgroup: string): object {
  const stats = blkioStats(layout, cgroup);
  const told = (entries: typeof stats.io_serviced_recursive) =>
    entries === null || entries.length === 0
      ? undefined
      : entries.map(({ major, minor, op, value }) => filled({ major, minor, op, value }));
  return filled({
    ioServiceBytesRecursive: told(stats.io_service_bytes_recursive),
    ioServicedRecursive: told(stats.io_serviced_recursive),
    ...pressure(controllerDirectory(layout, "io", cgroup), "io"),
  });
}

/** Time lost in waiting (Documentation/accounting/psi.rst); nothing where the kernel does not count it. */
function pressure(directory: string | undefined, what: string): { readonly psi?: object } {
  let text: string;
  try {
    text = directory === undefined ? "" : readKernel(`${directory}/${what}.pressure`);
  } catch {
    // EOPNOTSUPP: booted with psi=0.
    return {};
  }
  const kinds = [...text.matchAll(/^(some|full) (.*)$/gm)].map(([, kind = "", rest = ""]) => [
    kind,
    Object.fromEntries([...rest.matchAll(/(\w+)=([\d.]+)/g)].map(([, key, value]) => [key, Number(value)])),
  ]);
  return kinds.length === 0 ? {} : { psi: Object.fromEntries(kinds) as object };
}
