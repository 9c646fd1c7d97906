import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { busyboxMissing } from "../support/fixtures.ts";
import { readCgroup } from "../support/process.ts";
import { needs, program, root } from "../support/skip.ts";
import { makeScene, type Runtime, type Scene, told, untilStatus } from "./scene.ts";

const beside = needs(root(), busyboxMissing(), program("runc"));

/** Command lines in their order, each with what is looked at of its output: all of it unless said. */
const STEPS: readonly (readonly [line: string, look?: "status" | "event" | "nothing"])[] = [
  ["run --detach --bundle SLEEPS c"],
  ["ps --format xml c"],
  ["ps none"],
  ["ps c -o args"],
  ["ps -f table c -o pid,comm"],
  ["exec --cwd /bin c pwd"],
  ["exec --cwd /nowhere c pwd"],
  ["exec --cwd bin c pwd"],
  ["exec --user 1000:1000 c sh -c id;pwd;umask;echo_$HOME"],
  ["exec --user 1000 c sh -c id;echo_$HOME"],
  ["exec --user nobody c id"],
  ["exec --user 1000:1000 --additional-gids 100 --additional-gids 65534 c id -G"],
  ["exec --env A=1 --env A=2 c sh -c echo_$A"],
  ["exec -e PATH=/nope c sh -c true"],
  ["exec --cap CAP_SYS_ADMIN c grep Cap /proc/self/status"],
  ["exec --cap CAP_SYS_ADMIN --user 1000 c grep Cap /proc/self/status"],
  ["exec --cap NOPE c true"],
  ["exec --no-new-privs c grep NoNewPrivs /proc/self/status"],
  ["exec --pid-file /non-existent/directory c true"],
  ["exec --process /non-existent c"],
  ["exec --cgroup .. c true"],
  ["exec --cgroup nonexistent c true"],
  ["exec --cgroup whaaat:/ c true"],
  ["exec --cgroup / c true"],
  ["exec -t -d c true"],
  ["exec --console-socket /x c true"],
  ["exec c /"],
  ["exec c /etc/passwd"],
  ["exec c sh -c kill_-TERM_$$"],
  ["pause c"],
  ["state c", "status"],
  ["exec c true"],
  ["kill c 0"],
  ["kill c "],
  ["update --memory 64M c"],
  ["delete c"],
  ["start c"],
  ["events --stats c", "event"],
  ["kill c KILL"],
  ["UNTIL stopped"],
  ["state c", "status"],
  ["ps --format json c"],
  ["kill c 0"],
  ["kill --all c 0"],
  ["kill c KILL"],
  ["pause c"],
  ["resume c"],
  ["exec c true"],
  ["update --memory 64M c"],
  ["events --stats c"],
  ["events none"],
  ["start c"],
  ["delete c"],
  ["delete c"],
  ["delete --force c"],
  ["start none"],
  ["pause none"],
  ["resume none"],
  ["kill none"],
  ["update none"],
  ["delete none"],
  ["list --format nope"],
  ["list"],
  ["create --bundle /non-existent x"],
  ["run --bundle CWD x"],
  ["run --bundle RELATIVE x"],
  ["run --bundle NOARGS x"],
  ["run --bundle UMASK x"],
  ["run --bundle DIRECTORY x"],
  ["run --bundle SCRIPT x"],
  ["run --keep --bundle TRUE x"],
  ["state x", "status"],
  ["delete x"],
  ["create --pid-file /non-existent/pid --bundle TRUE x"],
  // Flags after arguments, what is no flag there, and what comes after two dashes.
  ["run c --detach --bundle SLEEPS"],
  ["update c --pids-limit -1 --memory 64M"],
  ["update c --nope", "nothing"],
  ["kill c 0 --all"],
  ["kill -- c 0"],
  ["kill c KILL -x", "nothing"],
  ["kill c KILL"],
  ["UNTIL stopped"],
  ["delete c --force"],
  ["delete c -f"],
  ["state c --force", "nothing"],
  ["list --quiet --format json"],
  ["run TRUE -d"],
  ["spec --bundle /non-existent"],
  ["list --quiet"],
];

function bundles(scene: Scene): Readonly<Record<string, string>> {
  writeFileSync(join(scene.rootfs, "script"), "#!/no/such/interpreter\n", { mode: 0o755 });
  const user = { uid: 0, gid: 0, umask: 0o77 };
  return {
    SLEEPS: scene.bundle("c"),
    TRUE: scene.bundle("true", { args: ["true"] }),
    CWD: scene.bundle("cwd", { args: ["pwd"], process: { cwd: "/made/here" } }),
    RELATIVE: scene.bundle("relative", { args: ["pwd"], process: { cwd: "made" } }),
    NOARGS: scene.bundle("noargs", { process: { args: [] } }),
    UMASK: scene.bundle("umask", { args: ["sh", "-c", "umask"], process: { user } }),
    DIRECTORY: scene.bundle("directory", { args: ["/bin"] }),
    SCRIPT: scene.bundle("script", { args: ["/script"] }),
  };
}

async function answers(runtime: Runtime, places: Readonly<Record<string, string>>): Promise<object[]> {
  const all: object[] = [];
  for (const [line, look] of STEPS) {
    const words = line
      .split(" ")
      .map((word) => places[word] ?? word.replaceAll("_", " ").replaceAll(";", "; "));
    if (words[0] === "UNTIL") {
      await untilStatus(runtime, "c", words[1] ?? "");
      continue;
    }
    const ended = await runtime.run(words);
    const complains = ended.code !== 0 && told(ended).trim() !== "";
    all.push({ line, code: ended.code, complains, stdout: seen(ended.stdout, look) });
  }
  return all;
}

function seen(stdout: string, look: (typeof STEPS)[number][1]): string {
  if (look === "status") return (JSON.parse(stdout) as { status: string }).status;
  // runc writes how it is used there.
  if (look === "nothing") return "";
  if (look === "event") return stdout.slice(0, '{"type":"stats","id":"c",'.length);
  return stdout.replaceAll(/^ *\d{3,7} /gm, "PID ").trim();
}

test("flags of every command do what runc's do, in every state of a container", beside, async () => {
  await using scene = makeScene();
  const places = bundles(scene);
  const [theirs, ours] = [await answers(scene.runc, places), await answers(scene.cais, places)];
  assert.deepEqual(ours, theirs);
});

/** Each line as `update` takes it. */
const UPDATES: readonly string[] = [
  "--memory 67108864",
  "--memory 50M",
  "--memory-swap 96468992",
  "--memory-swap 1M",
  "--memory-swap -1",
  "--memory-swap 64M",
  "--memory-reservation 33554432",
  "--pids-limit 10",
  "--pids-limit -1",
  "--cpu-period 90000",
  "--cpu-quota 60000",
  "--cpu-quota -1",
  "--cpu-share 200",
  "--cpu-period 80000 --cpu-quota 40000 --cpu-share 300 --memory 60M --pids-limit 12",
  "--cpuset-cpus 0",
  "--memory -1",
  '--resources - {"memory":{"limit":33554432,"reservation":25165824},"cpu":{"shares":100,"quota":50000,"period":100000},"pids":{"limit":20}}',
  "--memory much",
  "--cpu-quota 10",
  "--cpuset-cpus 4096",
];

/** Files of a container's limits, wherever this machine has them. */
const LIMITS: readonly (readonly [controller: string, v1: string, v2: string])[] = [
  ["memory", "memory.limit_in_bytes", "memory.max"],
  ["memory", "memory.memsw.limit_in_bytes", "memory.swap.max"],
  ["memory", "memory.soft_limit_in_bytes", "memory.low"],
  ["pids", "pids.max", "pids.max"],
  ["cpu", "cpu.cfs_quota_us", "cpu.max"],
  ["cpu", "cpu.cfs_period_us", "cpu.max"],
  ["cpu", "cpu.shares", "cpu.weight"],
  ["cpuset", "cpuset.cpus", "cpuset.cpus"],
];

test("update changes what runc's changes, flag by flag, and nothing where it refuses", beside, async () => {
  await using scene = makeScene();
  const resources = {
    memory: { limit: 33_554_432, reservation: 25_165_824 },
    cpu: { shares: 100, quota: 50_000, period: 100_000 },
    pids: { limit: 20 },
  };
  const results = async (runtime: Runtime) => {
    const bundle = scene.bundle(`u-${runtime.name}`, { linux: { resources } });
    await runtime.ok(["run", "--detach", "--bundle", bundle, "u"]);
    const { pid } = await runtime.state("u");
    const all: object[] = [];
    for (const line of UPDATES) {
      const [flag = "", value = "", input, ...rest] = line.split(" ");
      const stdin = flag === "--resources";
      const words = stdin ? [flag, value] : line.split(" ");
      assert.ok(!stdin || rest.length === 0);
      const ended = await runtime.run(["update", ...words, "u"], stdin ? { input: input ?? "" } : {});
      const files = LIMITS.map(([controller, v1, v2]) => `${v1} ${readCgroup(pid, controller, { v1, v2 })}`);
      all.push({ line, refused: ended.code !== 0, files });
    }
    await runtime.ok(["delete", "--force", "u"]);
    return all;
  };
  const [theirs, ours] = [await results(scene.runc), await results(scene.cais)];
  assert.deepEqual(ours, theirs);
});
