import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { options, suiteEngine, type TestEngine } from "./engine-fixture.ts";

let engine: TestEngine;
suiteEngine((started) => {
  engine = started;
});

type Answer = { status: number; message: string };
async function create(name: string, script: string, host: object = {}): Promise<Answer> {
  const HostConfig = { NetworkMode: "none", ...host };
  const body = { Image: "busybox:test", Cmd: ["sh", "-c", script], Tty: true, HostConfig };
  const { status, text } = await engine.ask("POST", `/containers/create?name=${name}`, body);
  return { status, message: JSON.parse(text).message };
}
async function start(name: string): Promise<Answer> {
  const { status, text } = await engine.ask("POST", `/containers/${name}/start`);
  return { status, message: text === "" ? "" : JSON.parse(text).message };
}
/** Its output, once it has ended; it is removed. */
async function run(name: string, script: string, host: object = {}): Promise<string> {
  assert.deepEqual(await create(name, script, host), { status: 201, message: undefined });
  assert.deepEqual(await start(name), { status: 204, message: "" });
  await engine.json("POST", `/containers/${name}/wait`);
  const { text } = await engine.ask("GET", `/containers/${name}/logs?stdout=1&stderr=1`);
  await remove(name);
  return text.replaceAll("\r\n", "\n");
}
const remove = (name: string) => engine.ask("DELETE", `/containers/${name}?force=1&v=1`);
const volume = (Name: string, DriverOpts: object) =>
  engine.json("POST", "/volumes/create", { Name, DriverOpts });
const mounted = (name: string): boolean =>
  readFileSync("/proc/self/mountinfo", "utf8").includes(`${engine.directory}/root/volumes/${name}/_data `);

test("a volume that is a tmpfs: shared while somebody has it, gone after the last", options, async () => {
  await volume("shared", { type: "tmpfs", device: "tmpfs", o: "size=1m,uid=5" });
  const Binds = ["shared:/v"];
  await create("first", "echo hi > /v/file; sleep 1000", { Binds });
  await start("first");
  assert.ok(mounted("shared"));
  const look = "while ! [ -s /v/file ]; do sleep 0.05; done; cat /v/file; grep ' /v ' /proc/mounts";
  assert.match(await run("second", look, { Binds }), /^hi\ntmpfs \/v tmpfs rw,.*size=1024k,uid=5/);
  assert.ok(mounted("shared"));
  // A new engine knows that it is held.
  await engine.kill("SIGKILL");
  await engine.start();
  assert.ok(mounted("shared"));
  await remove("first");
  assert.ok(!mounted("shared"));
  assert.equal(await run("third", "ls /v", { Binds }), "");
  assert.equal((await engine.ask("DELETE", "/volumes/shared")).status, 204);
});

test("what an engine that was killed left mounted is unmounted by the next", options, async () => {
  await volume("left", { type: "tmpfs", device: "tmpfs" });
  await create("ends", "sleep 0.3", { Binds: ["left:/v"] });
  await start("ends");
  const { Id } = await engine.json("GET", "/containers/ends/json");
  const exit = join(engine.directory, "run/containers", Id as string, "exit");
  await engine.kill("SIGKILL");
  assert.ok(mounted("left"));
  // It ends while no engine is there.
  while (!existsSync(exit)) await new Promise((resolve) => setTimeout(resolve, 10));
  await engine.start();
  await engine.json("POST", "/containers/ends/wait");
  assert.ok(!mounted("left"));
  await remove("ends");
});

test("a volume that is a directory of the host, read-only", options, async () => {
  const source = join(engine.directory, "source");
  mkdirSync(source);
  writeFileSync(join(source, "file"), "from the host\n");
  await volume("bound", { type: "none", device: source, o: "bind,ro" });
  const said = await run("bound", "cat /v/file; echo x > /v/x", { Binds: ["bound:/v"] });
  assert.match(said, /^from the host\n.*Read-only file system/);
  assert.ok(!mounted("bound"));
});

test("cp looks into such a volume, running or not", options, async () => {
  await volume("seen", { type: "none", device: join(engine.directory, "source"), o: "bind" });
  await create("looked", "sleep 1000", { Binds: ["seen:/v"] });
  assert.equal((await engine.ask("GET", "/containers/looked/archive?path=/v/file")).status, 200);
  assert.ok(!mounted("seen"));
  await remove("looked");
});

for (const [name, opts, why] of [
  [
    "absent",
    { type: "none", device: "/nope", o: "bind" },
    /failed to mount local volume: mount \/nope:.*_data, flags: 0x1000: no such file or directory$/,
  ],
  [
    "nfs",
    { type: "nfs", device: ":/x", o: "addr=127.0.0.1,rw" },
    /mount :\/x:.*_data, data: addr=127\.0\.0\.1: /,
  ],
  ["odd", { type: "nope", device: "tmpfs" }, /mount tmpfs:.*_data: no such device$/],
] as const) {
  test(`what cannot be mounted is refused at the start: ${name}`, options, async () => {
    await volume(`not-${name}`, opts);
    await create(`not-${name}`, "true", { Binds: [`not-${name}:/v`] });
    const { status, message } = await start(`not-${name}`);
    assert.ok(status >= 400);
    assert.match(message, /error while mounting volume '/);
    assert.match(message, why);
    await remove(`not-${name}`);
  });
}

test("options that are refused when a volume is made, in Docker's words", options, async () => {
  for (const [DriverOpts, why] of [
    [{ type: "tmpfs" }, 'create bad: missing required option: "device"'],
    [{ device: "tmpfs" }, 'create bad: missing required option: "type"'],
    [{ size: "10m" }, "create bad: quota size requested but no quota support"],
    [{ foo: "bar" }, 'create bad: invalid option: "foo"'],
  ] as const) {
    const { status, text } = await engine.ask("POST", "/volumes/create", { Name: "bad", DriverOpts });
    assert.deepEqual([status, JSON.parse(text).message], [400, why]);
  }
});

test("a part of a volume, which cannot lead out of it", options, async () => {
  const { Mountpoint } = await volume("parts", {});
  const base = Mountpoint as string;
  mkdirSync(join(base, "sub/deep"), { recursive: true });
  writeFileSync(join(base, "sub/file"), "in the part\n");
  symlinkSync("sub", join(base, "inside"));
  symlinkSync("/", join(base, "outside"));
  symlinkSync("../../..", join(base, "sub/up"));
  const mount = (Subpath: string) => ({
    Mounts: [{ Type: "volume", Source: "parts", Target: "/m", VolumeOptions: { Subpath } }],
  });
  assert.equal(await run("sub", "ls -1 /m; cat /m/file", mount("sub")), "deep\nfile\nup\nin the part\n");
  assert.equal(await run("link", "cat /m/file", mount("inside")), "in the part\n");
  assert.equal(await run("file", "cat /m", mount("sub/file")), "in the part\n");
  for (const [part, why] of [
    ["nope", `cannot access path ${base}/nope: `],
    ["outside", `path concatenation escapes the base directory, base: ${base}, subpath: outside`],
    ["outside/etc", "path concatenation escapes"],
    ["sub/up", "path concatenation escapes"],
  ] as const) {
    await create("out", "true", mount(part));
    const { status, message } = await start("out");
    assert.ok(status >= 400 && message.includes(why), message);
    await remove("out");
  }
  // An empty part gets what the image has where it is mounted, as a whole volume does; the rest stays.
  mkdirSync(join(base, "bin"));
  const filled = { ...mount("bin").Mounts[0], Target: "/bin" };
  assert.equal(await run("filled", "ls /bin/busybox", { Mounts: [filled] }), "/bin/busybox\n");
  assert.equal(existsSync(join(base, "bin/busybox")), true);
  assert.equal(existsSync(join(base, "busybox")), false);
  mkdirSync(join(base, "bare"));
  const bare = { ...mount("bare").Mounts[0], Target: "/bin" };
  const kept = { ...bare, VolumeOptions: { Subpath: "bare", NoCopy: true } };
  await create("bare", "true", { Mounts: [kept] });
  assert.deepEqual(readdirSync(join(base, "bare")), []);
  await remove("bare");
  for (const part of ["../x", "/abs"]) {
    const { status, message } = await create("out", "true", mount(part));
    assert.equal(status, 400);
    assert.match(message, /subpath must be a relative path within the volume/);
  }
});

test("a bind of the engine's directory follows what is mounted there", options, async () => {
  await volume("held", { type: "tmpfs", device: "tmpfs" });
  await create("holder", "mkdir /v/below; sleep 1000", { Binds: ["held:/v"] });
  await start("holder");
  const data = join(engine.directory, "root/volumes/held/_data");
  execFileSync("mount", ["--make-shared", data]);
  await create("follower", "while ! [ -e /b/below/later ]; do sleep 0.05; done; echo seen", {
    Binds: [`${data}:/b`],
  });
  await start("follower");
  const [mount] = (await engine.json("GET", "/containers/follower/json")).Mounts as { Propagation: string }[];
  assert.equal(mount?.Propagation, "rslave");
  execFileSync("mount", ["-t", "tmpfs", "later", join(data, "below")]);
  try {
    writeFileSync(join(data, "below/later"), "");
    assert.equal((await engine.json("POST", "/containers/follower/wait")).StatusCode, 0);
  } finally {
    execFileSync("umount", [join(data, "below")]);
  }
  await remove("follower");
  await remove("holder");
});

test("a client of before API 1.44 has read-only binds whose mounts below are not", options, async () => {
  await volume("inner", { type: "tmpfs", device: "tmpfs" });
  await create("holds", "sleep 1000", { Binds: ["inner:/v"] });
  await start("holds");
  const directory = join(engine.directory, "root/volumes");
  const Cmd = ["sh", "-c", "touch /b/x || touch /b/inner/_data/x"];
  for (const [version, code] of [
    ["1.43", 0],
    ["1.44", 1],
  ] as const) {
    for (const bound of [
      { Binds: [`${directory}:/b:ro`] },
      { Mounts: [{ Type: "bind", Source: directory, Target: "/b", ReadOnly: true }] },
    ]) {
      const HostConfig = { NetworkMode: "none", ...bound };
      const body = { Image: "busybox:test", Cmd, HostConfig };
      await engine.json("POST", `/v${version}/containers/create?name=reader`, body);
      await start("reader");
      assert.equal((await engine.json("POST", "/containers/reader/wait")).StatusCode, code, version);
      await remove("reader");
    }
  }
  await remove("holds");
});

test("propagation needs a source that is shared", options, async () => {
  // The engine's directory is on a mount of its own only by chance: what the kernel says decides.
  const line = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((one) => one.split(" ")[4] === "/");
  if (line?.includes("shared:")) return;
  for (const [mode, word] of [
    ["rshared", "a shared"],
    ["slave", "a shared or slave"],
  ] as const) {
    await create("spread", "true", { Binds: [`/etc:/x:${mode}`] });
    const { message } = await start("spread");
    assert.match(message, new RegExp(`path /etc is mounted on / but it is not ${word} mount`));
    await remove("spread");
  }
});

test("volumes of another container: its modes, ro for all, one's own first", options, async () => {
  await volume("lent", {});
  await create("lender", "echo data > /v/file; sleep 1000", {
    Binds: ["/etc:/e:ro", "lent:/v"],
    Mounts: [{ Type: "volume", Target: "/anon" }],
  });
  await start("lender");
  const show =
    "while ! [ -s /v/file ]; do sleep 0.05; done; cat /v/file; grep -E ' /(e|v|anon) ' /proc/mounts | sort";
  const modes = (text: string) =>
    [...text.matchAll(/ \/(\w+) \w+ (r[ow]),/g)].map(([, at, mode]) => `${at} ${mode}`);
  const both = await run("borrower", show, { VolumesFrom: ["lender"] });
  assert.match(both, /^data\n/);
  assert.deepEqual(modes(both).sort(), ["anon rw", "e ro", "v rw"]);
  const looking = await run("looker", show, { VolumesFrom: ["lender:ro"] });
  assert.deepEqual(modes(looking).sort(), ["anon ro", "e ro", "v ro"]);
  assert.equal(
    await run("own", "ls /v", { VolumesFrom: ["lender"], Binds: [`${engine.directory}/source:/v`] }),
    "file\n",
  );
  assert.match(
    (await create("no", "true", { VolumesFrom: ["nonesuch"] })).message,
    /No such container: nonesuch/,
  );
  assert.match((await create("no", "true", { VolumesFrom: ["lender:odd"] })).message, /invalid mode: odd/);
  await remove("lender");
});

test(
  "what --volumes-from brought stays when its container is gone, and goes with the last",
  options,
  async () => {
    await create("giver", "true", { Mounts: [{ Type: "volume", Target: "/v" }] });
    await create("taker", "echo again >> /v/log", { VolumesFrom: ["giver"] });
    await create("second", "cat /v/log", { VolumesFrom: ["taker"] });
    const { Mounts } = (await engine.json("GET", "/containers/giver/json")) as { Mounts: { Name: string }[] };
    const name = Mounts[0]?.Name ?? "";
    const there = async () => (await engine.ask("GET", `/volumes/${name}`)).status === 200;
    await remove("giver");
    assert.ok(await there(), "others have it");
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(await start("taker"), { status: 204, message: "" });
      await engine.json("POST", "/containers/taker/wait");
    }
    await remove("taker");
    // A container of the same name is another one.
    await create("taker", "true", { Mounts: [{ Type: "volume", Target: "/other" }] });
    assert.deepEqual(await start("second"), { status: 204, message: "" });
    await engine.json("POST", "/containers/second/wait");
    assert.match((await engine.ask("GET", "/containers/second/logs?stdout=1")).text, /again\s+again/);
    await remove("taker");
    assert.ok(await there(), "one has it still");
    await remove("second");
    assert.equal(await there(), false);
  },
);

test("a volume of another container gets nothing from the image of the next", options, async () => {
  await create("empty", "true", {
    Mounts: [{ Type: "volume", Target: "/bin", VolumeOptions: { NoCopy: true } }],
  });
  await create("full", "true", { VolumesFrom: ["empty"] });
  const { status, text } = await engine.ask("GET", "/containers/full/archive?path=/bin");
  assert.deepEqual([status, text.includes("busybox")], [200, false]);
  for (const name of ["full", "empty"]) await remove(name);
});
