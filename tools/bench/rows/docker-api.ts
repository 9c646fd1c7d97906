import { readdirSync } from "node:fs";
import { type Docker, docker, removeMany } from "../api.ts";
import { closeAll, hearAll, openAll, readAll } from "../connections.ts";
import { parentOf, resident } from "../memory.ts";
import { IMAGE } from "../peers.ts";
import { type Bench, faster, type Line, type Row, within } from "../row.ts";
import { median, medians, milliseconds } from "../sample.ts";
import { cycle } from "./api.ts";

/** An engine behind a socket, cais or Docker. */
interface Engine {
  readonly name: "cais" | "docker";
  readonly socket: string;
  readonly api: Docker;
  /** Resident KiB of all its processes. */
  readonly memory: () => number;
}

/** What Docker's clients ask for, at both engines through the same connection. */
export const dockerApi: Row = {
  name: "docker-api",
  async measure(bench) {
    const engines = enginesOf(bench);
    const idle = new Map(engines.map(({ name, memory }) => [name, memory()]));
    return [
      ...(await lives(engines, bench)),
      ...(await reads(engines, bench)),
      ...(await streams(engines, bench)),
      ...(await memory(engines, bench, idle)),
    ];
  },
};

function enginesOf({ cais, peers }: Bench): Engine[] {
  const socket = cais?.env.DOCKER_HOST?.replace("unix://", "");
  return [
    ...(cais && socket !== undefined
      ? [{ name: "cais" as const, socket, api: docker(socket), memory: () => resident(cais.pid()) }]
      : []),
    ...(peers.docker
      ? [
          {
            name: "docker" as const,
            socket: peers.docker.socket,
            api: docker(peers.docker.socket),
            memory: dockerMemory(peers.docker.pid),
          },
        ]
      : []),
  ];
}

/** dockerd with its containerd; the shims are the containers'. */
function dockerMemory(pid: number): () => number {
  return () =>
    readdirSync("/proc")
      .map(Number)
      .filter((each) => each === pid || (each > 0 && isChild(each, pid)))
      .reduce((sum, each) => sum + resident(each), 0);
}

function isChild(pid: number, parent: number): boolean {
  try {
    return parentOf(pid) === parent;
  } catch {
    return false;
  }
}

/** Each request of a container's life, and all of them. */
async function lives(engines: readonly Engine[], { runs }: Bench): Promise<Line[]> {
  const whole = await medians(
    engines.map(({ name, api }) => ({ name, once: () => milliseconds(() => cycle(api)) })),
    runs,
  );
  const parts = {
    create: new Map<string, number[]>(),
    start: new Map<string, number[]>(),
    remove: new Map<string, number[]>(),
  };
  for (let run = 0; run < runs; run++) {
    for (const { name, api } of engines) {
      let id = "";
      const note = async (part: keyof typeof parts, work: () => Promise<void>): Promise<void> => {
        const times = parts[part].get(name) ?? [];
        times.push(await milliseconds(work));
        parts[part].set(name, times);
      };
      await note("create", async () => {
        id = await api.create(IMAGE, ["/bin/true"]);
      });
      await note("start", () => api.start(id));
      await api.wait(id);
      await note("remove", () => api.remove(id));
    }
  }
  return [
    {
      what: "create, start, wait, remove",
      unit: "ms",
      values: whole,
      targets: [faster(whole, "docker", 20)],
    },
    ...Object.entries(parts).map(
      ([what, times]): Line => ({
        what: `  ${what}`,
        unit: "ms",
        values: new Map([...times].map(([name, each]) => [name, median(each)])),
        targets: [],
      }),
    ),
  ];
}

/** Lists and inspection among many containers. */
async function reads(engines: readonly Engine[], { runs, quick }: Bench): Promise<Line[]> {
  const count = quick ? 50 : 1000;
  const made = new Map<Engine, string[]>();
  for (const engine of engines) {
    const ids: string[] = [];
    for (let each = 0; each < count; each++) ids.push(await engine.api.create(IMAGE, ["/bin/true"]));
    made.set(engine, ids);
  }
  const ask = (path: (engine: Engine) => string) =>
    medians(
      engines.map((engine) => ({
        name: engine.name,
        once: () => milliseconds(async () => void (await readAll(engine.socket, `GET ${path(engine)}`))),
      })),
      runs,
    );
  const list = await ask(() => "/containers/json?all=1");
  const inspect = await ask((engine) => `/containers/${made.get(engine)?.[count >> 1]}/json`);
  for (const [engine, ids] of made) await removeMany(engine.api, ids);
  return [
    { what: `list ${count} containers`, unit: "ms", values: list, targets: [within(list, "docker", 1)] },
    { what: `inspect one of ${count}`, unit: "ms", values: inspect, targets: [within(inspect, "docker", 1)] },
  ];
}

/** Many attached at once, one that writes much, many that follow the events. */
async function streams(engines: readonly Engine[], { quick }: Bench): Promise<Line[]> {
  const [attached, followers, events, megabytes] = quick ? [50, 50, 20, 4] : [1000, 500, 100, 256];
  const lines: Record<"attach" | "log" | "fan", Map<string, number>> = {
    attach: new Map(),
    log: new Map(),
    fan: new Map(),
  };
  for (const { name, socket, api } of engines) {
    const sleeper = await api.create(IMAGE, ["/bin/sleep", "1000000"]);
    await api.start(sleeper);
    const request = `POST /containers/${sleeper}/attach?stream=1&stdout=1`;
    let open: Awaited<ReturnType<typeof openAll>> = [];
    const took = await milliseconds(async () => {
      open = await openAll(socket, request, attached);
    });
    lines.attach.set(name, took);
    await closeAll(open);
    await api.remove(sleeper, true);

    // As fast as it can: the container has ended when everything is in the log.
    const script = `yes 0123456789012345678901234567890123456789012345678901234567890 | head -c ${megabytes}m`;
    const writer = await api.create(IMAGE, ["/bin/sh", "-c", script]);
    const wrote = await milliseconds(async () => {
      await api.start(writer);
      await api.wait(writer);
    });
    lines.log.set(name, megabytes / (wrote / 1000));
    await api.remove(writer);

    const listening = await openAll(socket, "GET /events", followers);
    const told = await api.create(IMAGE, ["/bin/true"]);
    const heard = hearAll(listening, '"rename"', events);
    lines.fan.set(
      name,
      await milliseconds(async () => {
        for (let each = 0; each < events; each++)
          await readAll(socket, `POST /containers/${told}/rename?name=bench-${each}`);
        await heard;
      }),
    );
    await closeAll(listening);
    await api.remove(told);
  }
  return [
    {
      what: `${attached} attaches at once`,
      unit: "ms",
      values: lines.attach,
      targets: [within(lines.attach, "docker", 1)],
    },
    {
      what: `MiB through the log, of ${megabytes}`,
      unit: "per s",
      values: lines.log,
      targets: [{ ...within(lines.log, "docker", 1.5), sense: "at least" }],
    },
    {
      what: `${events} events to ${followers} followers`,
      unit: "ms",
      values: lines.fan,
      targets: [within(lines.fan, "docker", 1)],
    },
  ];
}

/** Memory when nothing has been asked, and after very many requests. */
async function memory(
  engines: readonly Engine[],
  { quick }: Bench,
  idle: ReadonlyMap<string, number>,
): Promise<Line[]> {
  const requests = quick ? 200 : 10_000;
  const after = new Map<string, number>();
  for (const { name, api, socket, memory } of engines) {
    const id = await api.create(IMAGE, ["/bin/true"]);
    for (let each = 0; each < requests; each++) await api.inspect(id);
    await api.remove(id);
    await readAll(socket, "GET /_ping");
    after.set(name, memory());
  }
  return [
    { what: "engine's memory, idle", unit: "KiB", values: idle, targets: [within(idle, "docker", 0.5)] },
    {
      what: `engine's memory after ${requests} requests`,
      unit: "KiB",
      values: after,
      targets: [within(after, "docker", 0.5)],
    },
  ];
}
