// Safe beside other test files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "../../tools/check/sources.ts";
import { needs } from "../support/skip.ts";
import { repository, runInVm, vmMissing } from "./harness.ts";
import { SAY, saidIn } from "./said.ts";

/** One line of output for each thing that is looked at, behind its name. */
const COMMANDS = `
cais() { bun /cais/src/cli/main.ts --root /run/root --run /run/run "$@"; }
${SAY}
mkfifo /run/ready
CAIS_READY_FD=3 cais serve > /run/log 2>&1 3> /run/ready &
head -c 1 /run/ready > /dev/null
id=$(cais run -d --name one --network none -m 48m --cpus 0.2 --pids-limit 20 --cpu-shares 512 host sleep 1000)
cd /sys/fs/cgroup/cais/$id
for file in cpu.max cpu.weight memory.max pids.max; do say $file cat $file; done
cd /
say inside cais exec one cat /proc/self/cgroup
say stats cais stats --no-stream --format '{{.MemUsage}}, {{.PIDs}}' one
cais update --cpus 1 one > /dev/null
say updated cat /sys/fs/cgroup/cais/$id/cpu.max
cais pause one > /dev/null
say paused cat /sys/fs/cgroup/cais/$id/cgroup.freeze
cais unpause one > /dev/null
say unpaused cat /sys/fs/cgroup/cais/$id/cgroup.freeze
cais run --network none -m 24m --memory-swap 24m --name two host dd if=/dev/zero of=/dev/null bs=200M count=1
echo "killed: $?"
say oom cais inspect -f '{{.State.OOMKilled}}' two
say score cais run --rm --network none --oom-score-adj -500 -u 1000 host cat /proc/self/oom_score_adj
cais run -d --name three --network none --oom-score-adj -500 host sleep 1000 > /dev/null
say joined cais exec -u 1000 three cat /proc/self/oom_score_adj
say removed cais rm -f one two three
say left ls /sys/fs/cgroup/cais
say log cat /run/log
`;

// The engine's own tests run on whatever the machine mounts; this is the way through all of it on v2 alone.
test("the engine limits, counts, pauses and kills on cgroup v2 alone", needs(vmMissing()), async () => {
  const result = await runInVm({
    files: repository(ROOT),
    modules: ["overlay"],
    command: COMMANDS,
    memory: 2048,
    timeoutSeconds: 170,
  });
  const said = saidIn(result.output);
  const expected = {
    "cpu.max": "20000 100000",
    "cpu.weight": "59",
    "memory.max": String(48 << 20),
    "pids.max": "20",
    inside: "0::/",
    updated: "100000 100000",
    paused: "1",
    unpaused: "0",
    killed: "137",
    oom: "true",
    // Which the root of some machines may not do.
    score: "-500",
    joined: "-500",
    removed: "one two three",
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(said.get(name), value, result.output);
  assert.match(said.get("stats") ?? "", /^[\d.]+[KM]iB \/ 48MiB, 1$/);
  assert.doesNotMatch(said.get("left") ?? "", /[0-9a-f]{64}/);
});
