import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { builtProgram } from "../support/built.ts";
import { command } from "../support/cais.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";

/** `start` and `delete` of the runtime by the front, without a JavaScript runtime. */
const ready = needs(root(), busyboxMissing());
const home = mkdtempSync(join(tmpdir(), "cais-front-runtime-"));
const bundle = join(home, "bundle");
const state = join(home, "state");
let program = "";

before(() => {
  if (ready.skip) return;
  program = builtProgram();
  symlinkSync(program, join(home, "cais-runtime"));
  mkdirSync(join(bundle, "rootfs"), { recursive: true });
  execFileSync("tar", ["-C", join(bundle, "rootfs"), "-xf", busyboxTar()]);
});

after(() => {
  rmSync(home, { recursive: true });
  if (program !== "") rmSync(dirname(program), { recursive: true });
});

interface Wanted {
  readonly args?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly hooks?: object;
}

function configure({ args = ["sleep", "1000"], hooks, namespaces = ["pid", "mount", "ipc"] }: Wanted = {}) {
  const process = { user: { uid: 0, gid: 0 }, cwd: "/", args, env: ["PATH=/bin"] };
  const mounts = [{ destination: "/proc", type: "proc", source: "proc" }];
  const linux = { namespaces: namespaces.map((type) => ({ type })) };
  const root = { path: "rootfs" };
  writeFileSync(
    join(bundle, "config.json"),
    JSON.stringify({ ociVersion: "1.0.2", process, root, mounts, linux, ...(hooks && { hooks }) }),
  );
}

const runtime = (...words: string[]) =>
  command(join(home, "cais-runtime"), ["--root", state, ...words], { cwd: bundle });
/** With too few addresses for a JavaScript runtime. */
const front = (...words: string[]) =>
  command("sh", ["-c", 'ulimit -v 200000; exec "$@"', "sh", program, "runtime", "--root", state, ...words]);
/** What it makes keeps the streams that it was given. */
const create = (id: string) => {
  const words = ["--root", state, "create", "-b", bundle, id];
  assert.equal(spawnSync(join(home, "cais-runtime"), words, { stdio: "ignore" }).status, 0);
};
const status = async (id: string) =>
  (JSON.parse((await runtime("state", id)).stdout) as { status: string }).status;
const cgroups = (id: string) =>
  readdirSync("/sys/fs/cgroup").filter((tree) => existsSync(`/sys/fs/cgroup/${tree}/cais-runtime/${id}`));

test("what was created is started, killed and deleted, and nothing is left", ready, async () => {
  configure();
  create("one");
  assert.deepEqual(await front("start", "one"), { code: 0, stdout: "", stderr: "" });
  assert.equal(await status("one"), "running");
  assert.notEqual(cgroups("one").length, 0);
  assert.notEqual((await front("delete", "one")).code, 0);
  assert.equal((await runtime("delete", "one")).code, 1);
  assert.equal(await status("one"), "running");
  assert.deepEqual(await front("--log", join(home, "log"), "--log-format=json", "delete", "-f", "one"), {
    code: 0,
    stdout: "",
    stderr: "",
  });
  assert.equal(existsSync(join(state, "one")), false);
  assert.deepEqual(cgroups("one"), []);
});

test("what waits is deleted by force, what has ended without", ready, async () => {
  configure({ args: ["true"] });
  create("waits");
  assert.equal((await front("delete", "--force", "waits")).code, 0);
  create("ends");
  assert.equal((await front("start", "ends")).code, 0);
  while ((await status("ends")) !== "stopped") await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await front("delete", "ends")).code, 0);
  assert.deepEqual([...cgroups("waits"), ...cgroups("ends")], []);
});

test("a workload that cannot be run is told of by the runtime, in its words", ready, async () => {
  configure({ args: ["/no/such"] });
  // Found missing at create; what vanishes after that is found at the start.
  writeFileSync(join(bundle, "rootfs/here"), "#!/bin/sh\n", { mode: 0o755 });
  configure({ args: ["/here"] });
  create("late");
  rmSync(join(bundle, "rootfs/here"));
  const ended = await runtime("start", "late");
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /exec: .*\/here.*no such file or directory/);
  assert.equal((await runtime("delete", "-f", "late")).code, 0);
});

test(
  "containers with hooks, paused ones and those in others' pid namespaces are the runtime's",
  ready,
  async () => {
    configure({ hooks: { poststop: [{ path: "/bin/sh", args: ["sh", "-c", `touch ${home}/stopped`] }] } });
    create("hooked");
    assert.notEqual((await front("start", "hooked")).code, 0);
    assert.equal((await runtime("delete", "-f", "hooked")).code, 0);
    assert.ok(existsSync(join(home, "stopped")));
    configure({ namespaces: ["mount"] });
    create("shares");
    assert.notEqual((await front("delete", "-f", "shares")).code, 0);
    assert.equal((await runtime("delete", "-f", "shares")).code, 0);
    configure();
    create("frozen");
    assert.equal((await runtime("pause", "frozen")).code, 0);
    const refused = await runtime("start", "frozen");
    assert.match(refused.stderr, /cannot start a container in the paused state/);
    assert.equal((await runtime("delete", "-f", "frozen")).code, 0);
  },
);

test("names that are no ids, unknown containers and more words are the runtime's", ready, async () => {
  for (const words of [
    ["start", "../x"],
    ["start", "none"],
    ["start", "a", "b"],
    ["delete", "none"],
    ["start"],
  ]) {
    const ended = await runtime(...words);
    assert.equal(ended.code, 1, words.join(" "));
    assert.notEqual(ended.stderr, "");
  }
  assert.equal((await runtime("delete", "--force", "none")).code, 0);
});

test("what somebody else has put into the directory is not lost, nor the container", ready, async () => {
  configure();
  create("more");
  mkdirSync(join(state, "more/theirs"));
  assert.notEqual((await front("delete", "-f", "more")).code, 0);
  assert.equal((await runtime("delete", "-f", "more")).code, 0);
  assert.equal(existsSync(join(state, "more")), false);
});

test("a bundle that has vanished under the caller's feet hinders no delete", ready, async () => {
  configure({ hooks: { poststop: [{ path: "/bin/true" }] } });
  const gone = join(home, "gone");
  mkdirSync(gone);
  create("stays");
  const script = `cd ${gone} && rmdir ${gone} && exec "$@"`;
  const words = [join(home, "cais-runtime"), "--root", state, "delete", "-f", "stays"];
  assert.deepEqual(await command("sh", ["-c", script, "sh", ...words]), { code: 0, stdout: "", stderr: "" });
});
