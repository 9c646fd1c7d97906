import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { options, suiteEngine, type TestEngine } from "./engine-fixture.ts";

let engine: TestEngine;
suiteEngine((started) => {
  engine = started;
});

const image = "busybox:test";
async function create(name: string, script: string, host: object = {}): Promise<string> {
  const body = { Image: image, Cmd: ["sh", "-c", script], HostConfig: { NetworkMode: "none", ...host } };
  return (await engine.json("POST", `/containers/create?name=${name}`, body)).Id as string;
}
const state = async (id: string) =>
  (await engine.json("GET", `/containers/${id}/json`)).State as Record<string, unknown>;
const wait = async (id: string) => (await engine.json("POST", `/containers/${id}/wait`)).StatusCode;

/** What is removed in the background is gone soon; what stays makes the test time out. */
function untilEmpty(folder: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (readdirSync(folder).length > 0) return;
      watcher.close();
      resolve();
    };
    const watcher = watch(folder, look);
    look();
  });
}

test("create, start, wait, logs, remove; nothing is left", options, async () => {
  const id = await create("one", "echo out; echo err >&2; exit 7");
  assert.equal((await engine.ask("POST", `/containers/${id}/start`)).status, 204);
  assert.equal(await wait(id), 7);
  const { Status, ExitCode } = await state("one");
  assert.deepEqual([Status, ExitCode], ["exited", 7]);
  const { text } = await engine.ask("GET", `/containers/${id.slice(0, 12)}/logs?stdout=1&stderr=1`);
  assert.match(text, /out\n/);
  assert.match(text, /err\n/);
  assert.equal((await engine.ask("DELETE", `/containers/${id}`)).status, 204);
  assert.equal((await engine.ask("GET", `/containers/${id}/json`)).status, 404);
  for (const folder of ["root/containers", "run/containers"]) {
    await untilEmpty(join(engine.directory, folder));
  }
});

test("conflicts have Docker's status and sentence", options, async () => {
  const id = await create("taken", "sleep 100");
  const again = await engine.ask("POST", "/containers/create?name=taken", { Image: image, Cmd: ["true"] });
  assert.equal(again.status, 409);
  assert.match(
    again.text,
    new RegExp(`container name \\\\"/taken\\\\" is already in use by container \\\\"${id}`),
  );
  assert.equal((await engine.ask("POST", "/containers/taken/kill")).status, 409);
  assert.equal((await engine.ask("POST", "/containers/taken/stop")).status, 304);
  assert.equal((await engine.ask("POST", "/containers/taken/start")).status, 204);
  assert.equal((await engine.ask("POST", "/containers/taken/start")).status, 304);
  assert.equal((await engine.ask("DELETE", "/containers/taken")).status, 409);
  assert.equal((await engine.ask("POST", "/containers/taken/unpause")).status, 500);
  assert.equal((await engine.ask("POST", "/containers/taken/stop?t=0")).status, 204);
  assert.equal((await state("taken")).ExitCode, 137);
  assert.equal((await engine.ask("DELETE", "/containers/taken")).status, 204);
  const missing = await engine.ask("POST", "/containers/create", { Image: "nobody", Cmd: ["true"] });
  assert.equal(missing.status, 404);
  assert.match(missing.text, /No such image: nobody:latest/);
});

test("a command that is not there is 127 and leaves the container created", options, async () => {
  const body = { Image: image, Cmd: ["nosuch"], HostConfig: { NetworkMode: "none" } };
  const { Id } = await engine.json("POST", "/containers/create?name=absent", body);
  const failed = await engine.ask("POST", `/containers/${Id}/start`);
  assert.equal(failed.status, 400);
  assert.match(failed.text, /exec: \\"nosuch\\": executable file not found in \$PATH/);
  const { Status, ExitCode } = await state("absent");
  assert.deepEqual([Status, ExitCode], ["created", 127]);
  await engine.json("DELETE", "/containers/absent");
});

test("on-failure restarts as often as it says", options, async () => {
  await create("again", "exit 4", { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } });
  await engine.json("POST", "/containers/again/start");
  // A wait ends with the run that it met; the one after that meets the next.
  do assert.equal(await wait("again"), 4);
  while ((await state("again")).Status !== "exited");
  assert.equal((await engine.json("GET", "/containers/again/json")).RestartCount, 2);
  await engine.json("DELETE", "/containers/again");
});

test("a wait is answered by the next end of a container that always comes again", options, async () => {
  await create("always", "exit 5", { RestartPolicy: { Name: "always" } });
  await engine.json("POST", "/containers/always/start");
  assert.equal(await wait("always"), 5);
  assert.equal(await wait("always"), 5);
  const refused = await engine.ask("DELETE", "/containers/always");
  assert.equal(refused.status, 409);
  await engine.json("DELETE", "/containers/always?force=1");
});

test(
  "what was answered to a wait is known to the next engine, though its document was not written yet",
  options,
  async () => {
    const plain = await create("answered", "exit 4");
    await engine.json("POST", `/containers/${plain}/start`);
    assert.equal(await wait(plain), 4);
    await engine.kill("SIGKILL");
    await engine.start();
    const { Status, ExitCode } = await state(plain);
    assert.deepEqual([Status, ExitCode], ["exited", 4]);

    const kept = await create("kept-down", "trap 'exit 3' TERM; while :; do sleep 0.05; done", {
      RestartPolicy: { Name: "unless-stopped" },
    });
    await engine.json("POST", `/containers/${kept}/start`);
    await engine.json("POST", `/containers/${kept}/stop?t=5`);
    await engine.kill("SIGKILL");
    await engine.start();
    assert.equal((await state(kept)).Status, "exited");
    for (const id of [plain, kept]) await engine.json("DELETE", `/containers/${id}`);
  },
);

test(
  "the files about names are in memory, each start's own, and go with the container",
  options,
  async () => {
    const id = await create("named", "echo 10.0.0.1 mine >> /etc/hosts");
    const names = join(engine.directory, "run/names");
    const path = async () => (await engine.json("GET", `/containers/${id}/json`)).HostsPath as string;
    assert.equal(await path(), "");
    const texts: string[] = [];
    for (let times = 0; times < 2; times++) {
      await engine.json("POST", `/containers/${id}/start`);
      assert.equal(await wait(id), 0);
      texts.push(readFileSync(await path(), "utf8"));
    }
    assert.ok((await path()).startsWith(`${names}/`));
    // What the first one wrote is not there twice.
    assert.match(texts[0] ?? "", /mine/);
    assert.equal(texts[0], texts[1]);
    await engine.kill("SIGKILL");
    // Of a container that the next engine does not know: a removal cut short.
    const orphan = join(names, "e".repeat(64));
    mkdirSync(orphan);
    await engine.start();
    assert.ok(existsSync(await path()));
    await engine.json("DELETE", `/containers/${id}`);
    await untilEmpty(names);
  },
);

/** The mount namespaces that the keeper of a container holds. */
async function heldBy(id: string): Promise<string[]> {
  const status = readFileSync(`/proc/${(await state(id)).Pid}/status`, "utf8");
  const keeper = `/proc/${/^PPid:\t(\d+)$/m.exec(status)?.[1]}/fd`;
  return readdirSync(keeper)
    .map((fd) => readlinkSync(join(keeper, fd)))
    .filter((to) => to.startsWith("mnt:"));
}

test(
  "a keeper holds the mounts of a container past its exit, unless something of the host's is among them",
  options,
  async () => {
    const own = await create("own-mounts", "sleep 100", { Tmpfs: { "/scratch": "" } });
    const host = await create("host-mounts", "sleep 100", { Binds: ["/usr:/host:ro"] });
    const DriverOpts = { type: "tmpfs", device: "tmpfs" };
    await engine.json("POST", "/volumes/create", { Name: "mounted", DriverOpts });
    const plain = await create("plain-volume", "sleep 100", { Binds: ["kept:/data"] });
    const volume = await create("volume-mounts", "sleep 100", { Binds: ["mounted:/data"] });
    for (const id of [own, host, plain, volume]) await engine.json("POST", `/containers/${id}/start`);
    assert.deepEqual(await heldBy(own), [readlinkSync(`/proc/${(await state(own)).Pid}/ns/mnt`)]);
    assert.equal((await heldBy(plain)).length, 1);
    assert.deepEqual(await heldBy(host), []);
    assert.deepEqual(await heldBy(volume), []);
    // The directories of the first start are free when the second mounts them again.
    await engine.json("POST", `/containers/${own}/restart?t=0`);
    assert.equal((await heldBy(own)).length, 1);
    for (const id of [own, host, plain, volume]) await engine.json("DELETE", `/containers/${id}?force=1&v=1`);
    for (const name of ["kept", "mounted"]) await engine.json("DELETE", `/volumes/${name}`);
    await untilEmpty(join(engine.directory, "run/containers"));
  },
);

test("output, exit codes and terminals survive kill -9 of the engine", options, async () => {
  const script = "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; sleep 1; echo last; exit 9";
  await create("long", script);
  await create("short", "sleep 0.3; echo bye; exit 5");
  await create("gone", "sleep 0.3; exit 6", { AutoRemove: true });
  await engine.json("POST", "/containers/create?name=terminal", {
    Image: image,
    Cmd: ["sh"],
    Tty: true,
    OpenStdin: true,
    HostConfig: { NetworkMode: "none" },
  });
  for (const name of ["long", "short", "gone", "terminal"]) {
    await engine.json("POST", `/containers/${name}/start`);
  }
  const running = join(engine.directory, "run/containers");
  const short = (await state("short")).Pid as number;
  await engine.kill("SIGKILL");
  // The keeper of a short one writes its exit while no engine is there; its process is gone then.
  while (existsSync(`/proc/${short}`)) await new Promise((resolve) => setImmediate(resolve));
  await engine.start();
  assert.ok(readdirSync(running).length > 0);
  assert.equal(await wait("short"), 5);
  assert.equal(await wait("long"), 9);
  const { text } = await engine.ask("GET", "/containers/short/logs?stdout=1");
  assert.match(text, /bye\n/);
  const file = (await engine.json("GET", "/containers/long/json")).LogPath as string;
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const logs = lines.map((line) => (JSON.parse(line) as { log: string }).log);
  assert.deepEqual(logs, [...Array.from({ length: 2000 }, (_, n) => `line ${n}\n`), "last\n"]);
  assert.equal((await engine.ask("GET", "/containers/gone/json")).status, 404);
  assert.equal((await state("terminal")).Status, "running");
  const exec = await engine.json("POST", "/containers/terminal/exec", { Cmd: ["true"] });
  await engine.json("POST", `/exec/${exec.Id}/start`, { Detach: true });
  for (const name of ["long", "short", "terminal"])
    await engine.json("DELETE", `/containers/${name}?force=1`);
  await untilEmpty(running);
});

test("a damaged record is reported and left alone, the others come up", options, async () => {
  const good = await create("good", "true");
  const bad = await create("bad", "true");
  await engine.kill("SIGTERM");
  const folder = join(engine.directory, "root/containers", bad);
  const path = join(folder, readdirSync(folder).find((name) => /^container.*json$/.test(name)) ?? "");
  const before = readFileSync(path);
  writeFileSync(path, Buffer.alloc(before.length));
  await engine.start();
  assert.equal((await engine.ask("GET", "/containers/bad/json")).status, 404);
  assert.equal((await state("good")).Status, "created");
  assert.ok(existsSync(path));
  await engine.kill("SIGTERM");
  writeFileSync(path, before);
  await engine.start();
  assert.equal((await state("bad")).Status, "created");
  for (const id of [good, bad]) await engine.json("DELETE", `/containers/${id}`);
});
