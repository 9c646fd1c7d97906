import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";
import { openTerminal } from "../support/terminal.ts";

/** What goes into a container and what comes out: attach, exec, logs, terminals, signals. */
const can = needs(root(), busyboxMissing());
const NONE = ["--network", "none"] as const;
let engine: TestEngine;

suiteEngine(can, "busybox", (started) => {
  engine = started;
});

const run = (name: string, ...words: readonly string[]) =>
  engine.ok(["run", "-d", ...NONE, "--name", name, ...words]);
const shell = (name: string, script: string) => run(name, "busybox", "sh", "-c", script);
const remove = (...names: readonly string[]) => engine.ok(["rm", "-f", ...names]);
const isRunning = (name: string) => engine.ok(["inspect", "-f", "{{.State.Running}}", name]);

test("stdin goes in and ends; stdout and stderr come out apart, whole", can, async () => {
  const input = Buffer.alloc(2_000_000, "0123456789abcdef\n");
  const script = "sha256sum; echo told >&2; exit 3";
  const ended = await engine.cais(["run", "--rm", "-i", ...NONE, "busybox", "sh", "-c", script], { input });
  const sum = new Bun.CryptoHasher("sha256").update(input).digest("hex");
  assert.deepEqual(ended, { code: 3, stdout: `${sum}  -\n`, stderr: "told\n" });
  const big = await engine.cais(["run", "--rm", ...NONE, "busybox", "seq", "1", "300000"]);
  assert.ok(big.stdout.endsWith("\n299999\n300000\n"));
  assert.equal(big.stdout.split("\n").length, 300_001);
});

test("attach shows what comes from now on, and its code is the container's", can, async () => {
  const script = "while read line; do [ $line = end ] && exit 8; echo got $line; done";
  await run("talker", "-i", "busybox", "sh", "-c", script);
  // Who was not there from the start does not end its input by leaving, as in Docker. The end of what it types would
  // end its session, so it stays.
  const left = await engine.cais(["attach", "talker"], {
    started: (child) => {
      child.stdin?.write("one\n");
      child.stdout?.once("data", () => child.kill("SIGKILL"));
    },
  });
  assert.equal(left.stdout, "got one\n");
  const attached = await engine.cais(["attach", "talker"], {
    started: (child) => child.stdin?.write("two\nend\n"),
  });
  assert.deepEqual([attached.stdout, attached.code], ["got two\n", 8]);
  assert.equal(await engine.ok(["logs", "talker"]), "got one\ngot two");
  assert.match((await engine.cais(["attach", "talker"])).stderr, /cannot attach to a stopped container/);
  await remove("talker");
});

test("start -a -i goes on with a container as run would have", can, async () => {
  await engine.ok(["create", "-i", ...NONE, "--name", "later", "busybox", "sh", "-c", "cat; exit 5"]);
  const ended = await engine.cais(["start", "-a", "-i", "later"], { input: "late words" });
  assert.deepEqual([ended.stdout, ended.code], ["late words", 5]);
  await remove("later");
});

test("a terminal: detach with keys, come back, another pair of keys, resize", can, async () => {
  await using first = await openTerminal(
    ["run", "-it", ...NONE, "--name", "screen", "busybox", "sh"],
    engine.env,
  );
  await first.until("# ");
  first.type("stty size; tty\n");
  await first.until(/24 80\r\n\/dev\/(pts\/0|console)/);
  first.resize(33, 99);
  first.type("until stty size | grep '33 99'; do usleep 10000; done\n");
  await first.until(/\r\n33 99/);
  first.type("\x10\x11");
  await first.until("read escape sequence");
  assert.equal(await first.ended, 0);
  assert.equal(await isRunning("screen"), "true");

  await using second = await openTerminal(["attach", "--detach-keys", "ctrl-a,x", "screen"], engine.env);
  second.type("echo ba''ck\n");
  await second.until("back");
  second.type("\x01x");
  await second.until("read escape sequence");
  assert.equal(await second.ended, 0);

  await using third = await openTerminal(["attach", "screen"], engine.env);
  third.type("exit 6\n");
  assert.equal(await third.ended, 6);
  await remove("screen");
});

test("a terminal outlives an engine that is killed", can, async () => {
  await run("steady", "-it", "busybox", "sh");
  await engine.kill();
  await engine.start();
  await using terminal = await openTerminal(["attach", "steady"], engine.env);
  terminal.type("echo still he''re; exit 4\n");
  await terminal.until("still here");
  assert.equal(await terminal.ended, 4);
  await remove("steady");
});

test("exec: -i, -t, -d, -u, -e, -w, and its exit codes", can, async () => {
  await run("host", "-e", "BASE=there", "busybox", "sleep", "1000");
  const exec = (...words: readonly string[]) => engine.cais(["exec", ...words]);
  const out = async (...words: readonly string[]) =>
    (await engine.ok(["exec", ...words])).replaceAll("\r", "");
  assert.equal(
    (await engine.cais(["exec", "-i", "host", "cat"], { input: "in and out" })).stdout,
    "in and out",
  );
  assert.equal(await out("-u", "www", "host", "id", "-un"), "www");
  assert.equal(await out("-u", "1234:29", "host", "sh", "-c", "id -u; id -g"), "1234\n29");
  assert.equal(await out("-e", "A=b", "host", "sh", "-c", "echo $A $BASE"), "b there");
  assert.equal(await out("-w", "/var/log", "host", "pwd"), "/var/log");
  assert.equal(await out("-t", "host", "sh", "-c", "test -t 1 && tty"), "/dev/pts/0");
  const capabilities = ["sed", "-n", "s/^CapEff:\t//p", "/proc/self/status"];
  assert.equal(await out("host", ...capabilities), "00000000a80425fb");
  assert.notEqual(await out("--privileged", "host", ...capabilities), "00000000a80425fb");

  assert.equal((await exec("host", "sh", "-c", "exit 9")).code, 9);
  assert.equal((await exec("host", "sh", "-c", "kill -KILL $$")).code, 137);
  assert.equal((await exec("host", "no-such-command")).code, 127);
  assert.equal((await exec("host", "/etc/passwd")).code, 126);
  assert.equal((await exec("nobody", "true")).code, 1);

  assert.equal(await out("-d", "host", "sh", "-c", "echo done > /done; sleep 1000"), "");
  // Found without looking twice: the fifo opens when the other side has been here.
  await out("host", "mkfifo", "/gate");
  await out("-d", "host", "sh", "-c", "echo open > /gate");
  assert.equal(await out("host", "cat", "/gate"), "open");
  assert.equal((await engine.ok(["top", "host"])).split("\n").length, 3, "the heading and two sleeps");

  await using terminal = await openTerminal(["exec", "-it", "host", "sh"], engine.env);
  await terminal.until("# ");
  terminal.resize(30, 70);
  terminal.type("until stty size | grep '30 70'; do usleep 10000; done; exit 2\n");
  await terminal.until(/\r\n30 70/);
  assert.equal(await terminal.ended, 2);
  await remove("host");
});

test("exec goes on working when the engine was killed and came back", can, async () => {
  await run("kept", "busybox", "sleep", "1000");
  await engine.kill();
  await engine.start();
  assert.equal(await engine.ok(["exec", "kept", "echo", "in"]), "in");
  await engine.ok(["stop", "-t", "0", "kept"]);
  assert.equal(await engine.ok(["inspect", "-f", "{{.State.ExitCode}}", "kept"]), "137");
  await remove("kept");
});

test("signals are passed on; --sig-proxy=false keeps them", can, async () => {
  const script = 'trap "echo got; exit 9" INT TERM WINCH; echo ready; while :; do sleep 1000 & wait; done';
  const start = (signal: NodeJS.Signals, ...options: readonly string[]) =>
    engine.cais(["run", ...NONE, ...options, "busybox", "sh", "-c", script], {
      started: (child) => child.stdout?.once("data", () => child.kill(signal)),
    });
  for (const signal of ["SIGTERM", "SIGINT", "SIGWINCH"] as const) {
    const { code, stdout } = await start(signal, "--rm");
    assert.deepEqual([stdout, code], ["ready\ngot\n", 9], signal);
  }
  await start("SIGTERM", "--sig-proxy=false", "--name", "unheard");
  assert.equal(await isRunning("unheard"), "true");
  await remove("unheard");
});

test("logs: --tail, --since, --until, -t, -f, and the two streams", can, async () => {
  await shell("diary", "echo one; echo two >&2; sleep 1.1; echo three; echo four");
  await engine.ok(["wait", "diary"]);
  const logs = (...options: readonly string[]) => engine.cais(["logs", ...options, "diary"]);
  assert.deepEqual(await logs(), { code: 0, stdout: "one\nthree\nfour\n", stderr: "two\n" });
  assert.equal((await logs("--tail", "2")).stdout, "three\nfour\n");
  assert.equal((await logs("-n", "0")).stdout, "");
  const stamped = (await logs("-t")).stdout.trimEnd().split("\n");
  for (const line of stamped) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z \w+$/);
  const at = stamped[1]?.split(" ")[0] ?? "";
  assert.equal((await logs("--since", at)).stdout, "three\nfour\n");
  const before = new Date(Date.parse(at) - 1).toISOString();
  assert.equal((await logs("--until", before)).stdout, "one\n");
  assert.equal(
    (await logs("--since", "1h", "-f")).stdout,
    "one\nthree\nfour\n",
    "what has ended is not waited for",
  );
  assert.equal((await engine.cais(["logs", "nobody"])).code, 1);
  await remove("diary");
});

test("logs -f shows each line once, and ends with the container", can, async () => {
  await shell("counter", "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo $i; done; usleep 200000; echo end");
  const [one, two] = await Promise.all([
    engine.ok(["logs", "-f", "counter"]),
    engine.ok(["logs", "-f", "--tail", "5", "counter"]),
  ]);
  const expected = [...Array.from({ length: 2000 }, (_, i) => String(i + 1)), "end"].join("\n");
  assert.equal(one, expected);
  assert.ok(expected.endsWith(two) && two.endsWith("end"), two.slice(0, 100));
  await remove("counter");
});

test(
  "a chatty container does not fill the disk: the log is rotated, the newest lines stay",
  can,
  async () => {
    const options = ["--log-opt", "max-size=100k", "--log-opt", "max-file=3"];
    await run("chatty", ...options, "busybox", "sh", "-c", "seq 1 60000; echo last");
    await engine.ok(["wait", "chatty"]);
    const folder = join(engine.root, "containers", await engine.ok(["inspect", "-f", "{{.Id}}", "chatty"]));
    const sizes = readdirSync(folder)
      .filter((name) => name.includes("json.log"))
      .map((name) => statSync(join(folder, name)).size);
    assert.equal(sizes.length, 3, readdirSync(folder).join(" "));
    for (const size of sizes) assert.ok(size <= 102_400 + 200, `${size} bytes`);
    assert.equal(await engine.ok(["logs", "--tail", "2", "chatty"]), "60000\nlast");
    const kept = (await engine.ok(["logs", "chatty"])).split("\n");
    assert.deepEqual(
      kept.slice(0, -1),
      Array.from({ length: kept.length - 1 }, (_, i) => String(60_002 - kept.length + i)),
    );
    await remove("chatty");

    // The default is a bound too.
    await run(
      "plain",
      "busybox",
      "sh",
      "-c",
      "yes 0123456789012345678901234567890123456789012345678901234 | head -c 40000000",
    );
    await engine.ok(["wait", "plain"]);
    const whole = join(engine.root, "containers", await engine.ok(["inspect", "-f", "{{.Id}}", "plain"]));
    const total = readdirSync(whole).reduce((sum, name) => sum + statSync(join(whole, name)).size, 0);
    assert.ok(total < 31 << 20, `${total} bytes`);
    await remove("plain");
  },
);

/** From a container's beginning to its end; other events may come between. */
const WHOLE = /container create\n(.*\n)*container start\n(.*\n)*container die\n(.*\n)*container destroy\n/;

test("events come as they happen, filtered and formatted", can, async () => {
  const seen = engine.cais(["events", "--filter", "container=noted", "--format", "{{.Type}} {{.Action}}"], {
    started: (child) => {
      let said = "";
      child.stdout?.on("data", (chunk) => {
        said += chunk;
        if (WHOLE.test(said)) child.kill();
      });
    },
  });
  const since = String(Date.now() / 1000 - 0.001);
  // The first command's events may be over before the listener is there.
  let over = false;
  const listened = seen.then((ended) => {
    over = true;
    return ended;
  });
  let rounds = 0;
  for (; !over; rounds++) await engine.ok(["run", "--rm", ...NONE, "--name", "noted", "busybox", "true"]);
  const { stdout } = await listened;
  assert.match(stdout, WHOLE);
  const past = [
    "events",
    "--since",
    since,
    "--until",
    String(Date.now() / 1000),
    "--filter",
    "event=die",
    "--format",
    "json",
  ];
  const events = (await engine.ok(past))
    .split("\n")
    .map((line) => JSON.parse(line) as { Actor: { Attributes: object } });
  assert.equal(events.length, rounds);
  assert.deepEqual(
    { ...events[0]?.Actor.Attributes, execDuration: "" },
    {
      ...{ execDuration: "", exitCode: "0", image: "busybox", name: "noted" },
    },
  );
});

test("a template for events that is wrong fails at once", can, async () => {
  const failed = async (format: string) => {
    const { code, stdout, stderr } = await engine.cais(["events", "--format", format]);
    assert.deepEqual([code, stdout], [64, ""]);
    return stderr;
  };
  assert.match(await failed("{{nothing .}}"), /^Error parsing format: .*function "nothing" not defined/);
  assert.match(await failed("{{.Nothing}}"), /^Error parsing format: .*at <\.Nothing>/);
});

test("an interrupt is a no to what was asked, and ends the line", can, async () => {
  const asked = await engine.cais(["volume", "prune"], {
    started: (child) => {
      child.stdout?.on("data", (text: string) => {
        if (text.endsWith("[y/N] ")) child.kill("SIGINT");
      });
    },
  });
  assert.equal(asked.code, 0);
  assert.match(asked.stdout, /\[y\/N\] \n$/);
  const answered = (input: string) => engine.ok(["volume", "prune"], { input });
  assert.match(await answered("y\nn\n"), /Total reclaimed space/);
  assert.doesNotMatch(await answered("n\ny\n"), /Total reclaimed space/);
});
