import assert from "node:assert/strict";
import { existsSync, globSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { options, suiteEngine, type TestEngine } from "./engine-fixture.ts";

let engine: TestEngine;
suiteEngine((started) => {
  engine = started;
});

async function create(name: string, script: string, host: object = {}): Promise<string> {
  const HostConfig = { NetworkMode: "none", ...host };
  const body = { Image: "busybox:test", Cmd: ["sh", "-c", script], HostConfig };
  return (await engine.json("POST", `/containers/create?name=${name}`, body)).Id as string;
}
async function run(name: string, script: string, host: object = {}): Promise<string> {
  const id = await create(name, script, host);
  await engine.json("POST", `/containers/${name}/start`);
  return id;
}
interface State {
  readonly Status: string;
  readonly ExitCode: number;
  readonly StartedAt: string;
  readonly Pid: number;
}
const state = async (name: string): Promise<State> =>
  (await engine.json("GET", `/containers/${name}/json`)).State as State;

/** A zombie is nobody's any more: its new parent will find it. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

/** A container's document, changed while no engine runs. */
function rewrite(id: string, change: (host: Record<string, unknown>) => void): void {
  const [file = ""] = globSync(join(engine.directory, "root", "containers", id, "container.*.json"));
  const record = JSON.parse(readFileSync(file, "utf8")) as { readonly host: Record<string, unknown> };
  change(record.host);
  writeFileSync(file, JSON.stringify(record));
}

/** The machine goes down and comes up: every process is gone, and so is what was below /run. */
async function reboot(meanwhile: () => void = () => undefined): Promise<void> {
  const run = join(engine.directory, "run");
  // Documents are written some milliseconds late; this writes them now.
  const all = JSON.parse((await engine.ask("GET", "/containers/json?all=1")).text) as { Id: string }[];
  for (const { Id } of all) await engine.json("POST", `/containers/${Id}/update`, {});
  await engine.kill("SIGKILL");
  for (const name of readdirSync(join(run, "containers"))) {
    const file = join(run, "containers", name, "keeper");
    if (!existsSync(file)) continue;
    const pid = Number(readFileSync(file, "utf8").split(" ", 1)[0]);
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
    while (isAlive(pid)) await new Promise(setImmediate);
    for (const cgroup of globSync(`/sys/fs/cgroup{,/*}/cais*/${name}`)) {
      while (readFileSync(join(cgroup, "cgroup.procs"), "utf8") !== "") await new Promise(setImmediate);
      rmdirSync(cgroup);
    }
  }
  rmSync(run, { recursive: true, force: true });
  meanwhile();
  await engine.start();
}

const always = { RestartPolicy: { Name: "always" } };

test("after a reboot: who comes back, and with which code the others ended", options, async () => {
  const sleep = "sleep 1000";
  await run("always", sleep, always);
  await run("always-stopped", sleep, always);
  await run("unless", sleep, { RestartPolicy: { Name: "unless-stopped" } });
  await run("unless-stopped", sleep, { RestartPolicy: { Name: "unless-stopped" } });
  await run("failure", sleep, { RestartPolicy: { Name: "on-failure" } });
  await run("failure-stopped", sleep, { RestartPolicy: { Name: "on-failure" } });
  await run("content", "exit 0", { RestartPolicy: { Name: "on-failure" } });
  await engine.json("POST", "/containers/content/wait");
  await run("no", sleep);
  await run("rm", sleep, { AutoRemove: true });
  await create("created", sleep, always);
  for (const name of ["always", "unless", "failure"])
    await engine.ask("POST", `/containers/${name}-stopped/stop?t=0`);
  await reboot();
  const running = JSON.parse((await engine.ask("GET", "/containers/json")).text) as { Names: string[] }[];
  assert.deepEqual(running.map(({ Names }) => Names[0]).sort(), [
    "/always",
    "/always-stopped",
    "/failure",
    "/unless",
  ]);
  assert.deepEqual([(await state("no")).Status, (await state("no")).ExitCode], ["exited", 255]);
  assert.equal((await state("content")).ExitCode, 0);
  assert.equal((await state("created")).Status, "created");
  assert.equal((await engine.ask("GET", "/containers/rm/json")).status, 404);
});

test(
  "those that others need come first, whoever is older; a circle starts all the same",
  options,
  async () => {
    // The younger of the two is needed by the older: it was made anew under its name.
    await create("db", "sleep 1000");
    await create("web", "sleep 1000", { ...always, VolumesFrom: ["db"] });
    await create("front", "sleep 1000", { ...always, NetworkMode: "container:web" });
    await engine.ask("DELETE", "/containers/db");
    await run("db", "sleep 1000", { ...always, Binds: ["/tmp:/shared"] });
    const round = await run("round", "sleep 1000", always);
    const about = await run("about", "sleep 1000", { ...always, PidMode: "container:round" });
    for (const name of ["web", "front"]) await engine.json("POST", `/containers/${name}/start`);
    // Engines of before kept names, of which circles could be made.
    await reboot(() => rewrite(round, (host) => Object.assign(host, { PidMode: `container:${about}` })));
    const [db, web, front] = await Promise.all(["db", "web", "front"].map(state));
    assert.deepEqual([db?.Status, web?.Status, front?.Status], ["running", "running", "running"]);
    assert.ok(db!.StartedAt < web!.StartedAt && web!.StartedAt < front!.StartedAt);
  },
);

test("update --restart counts from then on", options, async () => {
  await run("changed", "sleep 1000");
  await engine.json("POST", "/containers/changed/update", { RestartPolicy: { Name: "always" } });
  await reboot();
  assert.equal((await state("changed")).Status, "running");
  await engine.json("POST", "/containers/changed/update", { RestartPolicy: { Name: "no" } });
  await reboot();
  assert.equal((await state("changed")).Status, "exited");
});
