import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";

/** A container's files from outside: diff, cp both ways, commit, export, save and load. */
const can = needs(root(), busyboxMissing());
const NONE = ["--network", "none"] as const;
const home = mkdtempSync(join(tmpdir(), "cais-files-"));
let engine: TestEngine;

before(async () => {
  if (can.skip !== undefined) return;
  engine = await startEngine();
  await engine.ok(["import", busyboxTar(), "busybox"]);
});
after(async () => {
  await engine?.[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const remove = (...names: readonly string[]) => engine.ok(["rm", "-f", "-v", ...names]);
/** For a container that runs, and for one that does not. */
const RUNNING = { running: ["run", "-d", ...NONE], stopped: ["create", ...NONE] } as const;

for (const [state, make] of Object.entries(RUNNING)) {
  test(`cp puts files into a ${state} container and gets them out`, can, async () => {
    await engine.ok([...make, "--name", "place", "-v", "/volume", "busybox", "sleep", "1000"]);
    const from = join(home, state);
    mkdirSync(join(from, "sub"), { recursive: true });
    writeFileSync(join(from, "sub/file"), "content\n", { mode: 0o640 });
    symlinkSync("file", join(from, "sub/link"));
    await engine.ok(["cp", from, "place:/there"]);
    await engine.ok(["cp", join(from, "sub/file"), "place:/there/sub/second"]);
    const back = join(home, `${state}-back`);
    await engine.ok(["cp", "place:/there", back]);
    assert.equal(readFileSync(join(back, "sub/second"), "utf8"), "content\n");
    assert.equal(statSync(join(back, "sub/file")).mode & 0o777, 0o640);
    assert.equal(readlinkSync(join(back, "sub/link")), "file");
    const piped = await engine.cais(["cp", "place:/there/sub/file", "-"]);
    assert.equal(spawnSync("tar", ["-xO"], { input: piped.stdout }).stdout.toString(), "content\n");
    const tar = spawnSync("tar", ["-C", from, "-cf", "-", "sub/file"]).stdout;
    await engine.ok(["cp", "-", "place:/there"], { input: tar });

    assert.deepEqual((await engine.ok(["diff", "place"])).split("\n").slice(0, 3), [
      ...["A /there", "A /there/sub", "A /there/sub/file"],
    ]);
    assert.equal((await engine.cais(["cp", "place:/no/such", home])).code, 1);
    assert.equal((await engine.cais(["cp", join(home, "no-such"), "place:/"])).code, 1);
    await remove("place");
  });
}

test(
  "cp goes where a link at its destination leads, be it there or not, and leaves the link",
  can,
  async () => {
    const links = ["file:old", "tree:folder", "nowhere:new", "later:made"].map((pair) => pair.split(":"));
    const into = join(home, "linked");
    mkdirSync(join(into, "folder"), { recursive: true });
    writeFileSync(join(into, "old"), "before\n");
    for (const [name = "", end = ""] of links) symlinkSync(end, join(into, name));
    const source = join(home, "linking");
    mkdirSync(join(source, "one"), { recursive: true });
    writeFileSync(join(source, "one/in"), "in\n");
    await engine.ok(["create", ...NONE, "--name", "link", "-v", `${into}:/here`, "busybox", "true"]);
    await engine.ok(["cp", source, "link:/there"]);
    const expected = { old: "in\n", "folder/in": "in\n", new: "in\n", "made/in": "in\n" };
    const check = () => {
      for (const [name = "", end = ""] of links) assert.equal(readlinkSync(join(into, name)), end);
      for (const [path, text] of Object.entries(expected)) {
        assert.equal(readFileSync(join(into, path), "utf8"), text, path);
        rmSync(join(into, path));
      }
      rmSync(join(into, "made"), { recursive: true });
    };
    for (const name of ["file", "tree", "nowhere"]) {
      await engine.ok(["cp", "link:/there/one/in", join(into, name)]);
    }
    await engine.ok(["cp", "link:/there/one", join(into, "later")]);
    check();
    writeFileSync(join(into, "old"), "before\n");
    for (const name of ["file", "tree", "nowhere"]) {
      await engine.ok(["cp", join(source, "one/in"), `link:/here/${name}`]);
    }
    await engine.ok(["cp", join(source, "one"), "link:/here/later"]);
    check();
    await remove("link");
  },
);

test("cp does not follow a container's links out of it", can, async () => {
  await engine.ok(["run", ...NONE, "--name", "trap", "busybox", "ln", "-s", "/../../../../etc", "/out"]);
  const file = join(home, "evil");
  writeFileSync(file, "evil\n");
  await engine.ok(["cp", file, "trap:/out/cais-escaped"]);
  assert.equal(statSync("/etc/cais-escaped", { throwIfNoEntry: false }), undefined);
  const inside = await engine.cais(["cp", "trap:/etc/cais-escaped", "-"]);
  assert.equal(inside.code, 0);
  await remove("trap");
});

test("cp and build keep names that are no UTF-8, each apart from the others", can, async () => {
  // Two names that would be one where bytes that are no UTF-8 are replaced.
  const names = ["caf\xe9", "caf\xe8"].map((name) => Buffer.from(name, "latin1"));
  const from = join(home, "latin1");
  mkdirSync(from);
  for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${from}/`), name]), name);
  symlinkSync(names[0]!, join(from, "link"));
  await engine.ok([
    "create",
    "--name",
    "bytes",
    ...NONE,
    "busybox",
    "sh",
    "-c",
    "cat /there/caf* /there/link",
  ]);
  await engine.ok(["cp", from, "bytes:/there"]);
  const back = join(home, "latin1-back");
  await engine.ok(["cp", "bytes:/there", back]);
  assert.deepEqual(
    readdirSync(back, { encoding: "buffer" })
      .map((name) => name.toString("latin1"))
      .sort(),
    ["caf\xe8", "caf\xe9", "link"],
  );
  for (const name of names)
    assert.deepEqual(readFileSync(Buffer.concat([Buffer.from(`${back}/`), name])), name);
  assert.deepEqual(readlinkSync(join(back, "link"), { encoding: "buffer" }), names[0]);
  await remove("bytes");
  writeFileSync(join(from, "Dockerfile"), "FROM busybox\nCOPY . /there/\n");
  await engine.ok(["build", "-q", "-t", "bytes:1", from]);
  const listed = await engine.ok(["run", "--rm", ...NONE, "bytes:1", "sh", "-c", "ls /there | grep -c ^caf"]);
  assert.equal(listed, "2");
  await engine.ok(["rmi", "bytes:1"]);
});

test("cp of the whole tree of a running container leaves out what is the kernel's", can, async () => {
  const options = ["-d", "--name", "entire", "--privileged", "--tmpfs", "/scratch", "-v", "/volume"];
  await engine.ok(["run", ...options, ...NONE, "busybox", "sleep", "1000"]);
  await engine.ok([
    "exec",
    "entire",
    "sh",
    "-c",
    "echo own > /own; echo in > /volume/in; echo s > /scratch/s",
  ]);
  const whole = join(home, "entire");
  await engine.ok(["cp", "entire:/", whole]);
  assert.equal(readFileSync(join(whole, "own"), "utf8"), "own\n");
  assert.equal(readFileSync(join(whole, "volume/in"), "utf8"), "in\n");
  assert.equal(readFileSync(join(whole, "scratch/s"), "utf8"), "s\n");
  for (const name of ["proc", "sys", "dev"]) assert.deepEqual(readdirSync(join(whole, name)), [], name);
  // Named itself, it is there.
  await engine.ok(["exec", "entire", "sh", "-c", "echo shared > /dev/shm/shared"]);
  await engine.ok(["cp", "entire:/dev/shm/shared", join(home, "shared")]);
  assert.equal(readFileSync(join(home, "shared"), "utf8"), "shared\n");
  for (const words of [
    ["entire:", home],
    [join(whole, "own"), "entire:"],
  ] as const)
    assert.match((await engine.cais(["cp", ...words])).stderr, /^Cannot copy: name a path in the container/);
  await remove("entire");
});

test("diff tells what was added, changed and deleted", can, async () => {
  const script = "echo x > /root/new; echo y >> /etc/passwd; rm /etc/group; mkdir -p /a/b";
  await engine.ok(["run", ...NONE, "--name", "changed", "busybox", "sh", "-c", script]);
  const lines = (await engine.ok(["diff", "changed"])).split("\n").sort();
  assert.deepEqual(lines, [
    "A /a",
    "A /a/b",
    "A /root/new",
    "C /etc",
    "C /etc/passwd",
    "C /root",
    "D /etc/group",
  ]);
  await remove("changed");
});

test("commit makes an image of what has changed, with its configuration", can, async () => {
  const script = "echo kept > /note; rm -r /var/log";
  await engine.ok(["run", ...NONE, "--name", "source", "-e", "MADE=yes", "busybox", "sh", "-c", script]);
  const change = ["-c", "WORKDIR /root", "-c", 'CMD ["cat","/note"]', "-m", "a note", "-a", "a person"];
  const id = await engine.ok(["commit", ...change, "source", "noted:1"]);
  assert.match(id, /^sha256:[0-9a-f]{64}$/);
  assert.equal(await engine.ok(["run", "--rm", ...NONE, "noted:1"]), "kept");
  assert.equal(
    await engine.ok(["run", "--rm", ...NONE, "noted:1", "sh", "-c", "pwd; echo $MADE; ls /var"]),
    "/root\nyes",
  );
  assert.equal(await engine.ok(["inspect", "-f", "{{.Author}} {{.Comment}}", "noted:1"]), "a person a note");
  const layers = JSON.parse(
    await engine.ok(["inspect", "-f", "{{json .RootFS.Layers}}", "noted:1"]),
  ) as string[];
  assert.equal(layers.length, 2);
  // Changes begin with what the container has.
  const more = ["-c", "ENV PATH=/more:$PATH", "-c", "ENV LAST=1"];
  await engine.ok(["run", ...NONE, "-w", "/root", "--name", "inner", "-e", "PATH=/bin", "busybox", "true"]);
  await engine.ok(["commit", "-c", "WORKDIR sub", ...more, "inner", "noted:2"]);
  assert.equal(
    await engine.ok(["inspect", "-f", "{{.Config.WorkingDir}} {{.Config.Env}}", "noted:2"]),
    "/root/sub [PATH=/more:/bin LAST=1]",
  );
  await remove("source", "inner");
  // A repository without a tag is all of its tags.
  await engine.ok(["save", "-o", join(home, "both.tar"), "noted"]);
  await engine.ok(["rmi", "noted:1", "noted:2"]);
  const loaded = await engine.ok(["load", "-i", join(home, "both.tar")]);
  assert.equal(loaded, "Loaded image: noted:1\nLoaded image: noted:2");
  await engine.ok(["rmi", "noted:2"]);

  const file = join(home, "noted.tar");
  await engine.ok(["save", "-o", file, "noted:1"]);
  await engine.ok(["rmi", "noted:1"]);
  assert.equal(await engine.ok(["load", "-i", file]), "Loaded image: noted:1");
  assert.equal(await engine.ok(["inspect", "-f", "{{.Id}}", "noted:1"]), id);
  assert.equal(await engine.ok(["run", "--rm", ...NONE, "noted:1"]), "kept");
  await engine.ok(["rmi", "noted:1"]);
});

test("cp reaches the volumes and binds of a container that does not run", can, async () => {
  const bound = join(home, "bound");
  mkdirSync(bound);
  const mounts = ["-v", "kept:/data", "-v", `${bound}:/bound`, "-v", `${bound}:/fixed:ro`];
  await engine.ok(["create", ...NONE, "--name", "waiting", ...mounts, "busybox", "cat", "/data/in"]);
  const file = join(home, "in");
  writeFileSync(file, "from outside");
  await engine.ok(["cp", file, "waiting:/data/in"]);
  await engine.ok(["cp", file, "waiting:/bound/in"]);
  assert.equal(readFileSync(join(bound, "in"), "utf8"), "from outside");
  assert.match((await engine.cais(["cp", file, "waiting:/fixed/other"])).stderr, /read-only|EROFS/i);
  assert.equal(await engine.ok(["start", "-a", "waiting"]), "from outside");
  const back = join(home, "back");
  await engine.ok(["cp", "waiting:/data/in", back]);
  assert.equal(readFileSync(back, "utf8"), "from outside");
  await remove("waiting");
  await engine.ok(["volume", "rm", "kept"]);
});

test("the working directory is there before the first start", can, async () => {
  await engine.ok(["create", ...NONE, "--name", "worker", "-w", "/srv/deep/work", "busybox", "cat", "in"]);
  writeFileSync(join(home, "in"), "copied\n");
  // Into the directory, not in its place.
  await engine.ok(["cp", join(home, "in"), "worker:/srv/deep/work"]);
  assert.equal(await engine.ok(["start", "-a", "worker"]), "copied");
  await remove("worker");
});

test("export is the whole tree, without what is mounted; import takes it back", can, async () => {
  const script =
    "echo kept > /note; chown 1000:29 /note; chmod 4750 /note; ln /note /again; echo x > /volume/x";
  await engine.ok(["run", ...NONE, "--name", "tree", "-v", "/volume", "busybox", "sh", "-c", script]);
  const file = join(home, "tree.tar");
  await engine.ok(["export", "-o", file, "tree"]);
  const names = spawnSync("tar", ["-tf", file], { encoding: "utf8" }).stdout.split("\n");
  assert.ok(names.some((name) => /^(\.\/)?bin\/busybox$/.test(name)));
  assert.ok(!names.some((name) => /^(\.\/)?(volume\/x|proc\/.)/.test(name)));
  await engine.ok(["import", file, "again:1"]);
  const look = "stat -c '%u:%g %a %h' /note; cat /again";
  assert.equal(
    await engine.ok(["run", "--rm", ...NONE, "again:1", "sh", "-c", look]),
    "1000:29 4750 2\nkept",
  );
  await remove("tree");
  await engine.ok(["rmi", "again:1"]);
});

test("images, tag, rmi, history: names come and go, an image in use stays", can, async () => {
  await engine.ok(["tag", "busybox", "else/where:2"]);
  assert.match(await engine.ok(["images", "else/where"]), /^REPOSITORY .*\nelse\/where +2 +[0-9a-f]{12} /);
  assert.equal(await engine.ok(["rmi", "else/where:2"]), "Untagged: else/where:2");
  await engine.ok(["create", "--name", "user", "busybox", "true"]);
  const used = await engine.cais(["rmi", "busybox"]);
  assert.equal(used.code, 1);
  assert.match(used.stderr, /conflict: unable to (remove|delete).*container [0-9a-f]{12} is using/);
  assert.match(await engine.ok(["history", "busybox"]), /^IMAGE +CREATED +CREATED BY +SIZE +COMMENT/);
  await remove("user");
});
