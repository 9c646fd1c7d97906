import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pss } from "../memory.ts";
import { memoryDirectory, timeCommand } from "../peers.ts";
import { type Line, type Row, within } from "../row.ts";
import { medians } from "../sample.ts";

type Prefix = readonly [program: string, ...global: string[]];

/** A runtime without an engine on the same bundles as its peers: time, what stays, and the most that each call takes. */
export const runtime: Row = {
  name: "runtime",
  measure: async ({ cais, peers, runs }) => {
    const state = join(memoryDirectory(), `cais-bench-${process.pid}`);
    const contenders = Object.entries({
      cais: cais && ([`${cais.program}-runtime`, "--root", state] as const),
      runc: peers.runc && (["runc", ...peers.runc] as const),
      crun: peers.crun && (["crun", ...peers.crun] as const),
    }).flatMap(([name, prefix]) => (prefix ? [{ name, prefix: prefix as Prefix }] : []));
    const call = ([program, ...global]: Prefix, ...args: string[]) =>
      timeCommand([program, [...global, ...args]]);
    const measure = (once: (prefix: Prefix, run: number) => number) =>
      medians(
        contenders.map(({ name, prefix }) => ({ name, once: (run) => once(prefix, run) })),
        runs,
      );

    const run = await measure((prefix, each) => call(prefix, "run", "-b", peers.bundle, `run-${each}`));
    const life = await measure((prefix, each) => {
      const id = `life-${each}`;
      const made = call(prefix, "create", "-b", peers.bundle, id) + call(prefix, "start", id);
      return made + call(prefix, "delete", "-f", id);
    });

    const created = new Map<string, number>();
    const peaks = new Map<string, Map<string, number>>();
    const peak = (name: string, command: string, value: number) =>
      peaks.set(command, (peaks.get(command) ?? new Map()).set(name, value));
    for (const { name, prefix } of contenders) {
      peak(name, "create", peakOf(prefix, "create", "-b", peers.sleeper, "stays"));
      created.set(name, pss(pidOf(prefix, "stays")));
      peak(name, "start", peakOf(prefix, "start", "stays"));
      peak(name, "exec", peakOf(prefix, "exec", "stays", "/bin/true"));
    }
    const exec = await measure((prefix) => call(prefix, "exec", "stays", "/bin/true"));
    const running = new Map(contenders.map(({ name, prefix }) => [name, pss(pidOf(prefix, "stays"))]));
    for (const { name, prefix } of contenders) peak(name, "delete", peakOf(prefix, "delete", "-f", "stays"));

    const time = (what: string, values: ReadonlyMap<string, number>): Line => ({
      what,
      unit: "ms",
      values,
      targets: [within(values, "runc", 0.8)],
    });
    const memory = (what: string, values: ReadonlyMap<string, number>): Line => ({
      what,
      unit: "KiB",
      values,
      targets: [within(values, values.has("crun") ? "crun" : "runc", 1)],
    });
    return [
      time("runtime: run true", run),
      time("runtime: create, start, delete", life),
      time("runtime: exec true", exec),
      memory("runtime: waiting to start", created),
      memory("runtime: running sleep", running),
      ...[...peaks].map(
        ([command, values]): Line => ({
          what: `runtime: peak of ${command}`,
          unit: "KiB",
          values,
          targets: [],
        }),
      ),
    ];
  },
};

/** The first process of a container. */
function pidOf([program, ...global]: Prefix, id: string): number {
  const said = spawnSync(program, [...global, "state", id], { encoding: "utf8" }).stdout;
  return (JSON.parse(said) as { pid: number }).pid;
}

/**
 * The most memory that a call had resident at once, in KiB. Started by a small program: a process begins with what
 * the one had that made it.
 */
function peakOf([program, ...global]: Prefix, ...args: string[]): number {
  const directory = mkdtempSync(join(tmpdir(), "cais-peak-"));
  const file = join(directory, "time");
  const words = ["time", "-v", "-o", file, program, ...global, ...args];
  const ended = spawnSync("busybox", words, { stdio: "ignore" });
  const told = readFileSync(file, "utf8");
  rmSync(directory, { recursive: true });
  if (ended.status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${ended.status}`);
  // busybox takes the kernel's KiB for pages of 4 KiB.
  return Number(/Maximum resident set size \(kbytes\): (\d+)/.exec(told)?.[1]) / 4;
}
