import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { type Dockerd, startDockerd } from "../../tools/peers/dockerd.ts";
import { installDocker } from "../../tools/peers/packages.ts";
import { CAIS, command, type Ended } from "../support/cais.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { openTerminal } from "../support/terminal.ts";

/** A current Docker where it can be fetched, else the machine's own. */
function peerMissing(): string | undefined {
  if (root() !== undefined || installDocker() === undefined) return undefined;
  return program("dockerd", "docker.io");
}

/**
 * The command line beside the docker client, both on one real dockerd: the same words must have the same output
 * and the same exit code.
 */
describe("beside the docker client", needs(root(), busyboxMissing(), peerMissing()), () => {
  let peer: Dockerd;
  let directory: string;

  before(async () => {
    peer = await startDockerd();
    peer.import(busyboxTar(), "bb");
    directory = mkdtempSync(join(tmpdir(), "cais-docker-"));
    peer.docker(
      "run",
      "-d",
      "--name",
      "web",
      "-p",
      "127.0.0.1:8080:80",
      "-p",
      "127.0.0.1:8443-8444:8443-8444",
      "--expose",
      "90",
      "-l",
      "k=v",
      "-v",
      "vol:/v",
      "bb",
      "sleep",
      "1000",
    );
  });
  after(async () => {
    peer?.docker("rm", "-f", "-v", "web");
    await peer?.[Symbol.asyncDispose]();
    if (directory) rmSync(directory, { recursive: true });
  });

  const cais = (args: readonly string[], input?: string | Uint8Array): Promise<Ended> =>
    command(CAIS, ["-H", peer.host, ...args], input === undefined ? {} : { input });
  const docker = (args: readonly string[]): Promise<Ended> => command("docker", args, { env: peer.env });
  /** The name of the program is the one thing that differs. */
  const named = (text: string) => text.replaceAll(/\bcais\b/g, "docker");

  const same: readonly (readonly string[])[] = [
    ["ps"],
    ["ps", "-a", "--no-trunc"],
    ["ps", "-aq"],
    ["ps", "-s"],
    ["ps", "--format", "json"],
    ["ps", "--format", 'table {{.ID}}\\t{{.Label "k"}}\\t{{upper .Names}}\\t{{.Ports}}'],
    ["ps", "--filter", "name=nobody"],
    ["ps", "--filter", "foo=1"],
    ["ps", "--filter", "foo"],
    ["ps", "extra"],
    ["images"],
    ["images", "-q", "--no-trunc"],
    ["image", "ls", "--digests"],
    ["history", "bb"],
    ["inspect", "bb"],
    ["inspect", "web", "nobody"],
    ["inspect", "web", "-f", "{{json .NetworkSettings.Ports}} {{.Config.Labels}} {{.HostConfig.CapAdd}}"],
    ["inspect", "web", "-f", "{{.Id"],
    ["volume", "ls"],
    ["volume", "inspect", "vol"],
    ["network", "ls"],
    ["network", "inspect", "bridge"],
    ["network", "rm", "-f", "nobody"],
    ["port", "web"],
    ["port", "web", "80"],
    ["port", "web", "81"],
    ["top", "web"],
    ["diff", "web"],
    ["system", "df"],
    ["version", "-f", "{{.Server.Version}} {{.Server.APIVersion}} {{.Client.APIVersion}}"],
    [
      "events",
      "--since",
      "1h",
      "--until",
      "0s",
      "--filter",
      "event=start",
      "--format",
      "{{.Status}} {{.ID}} {{.From}}",
    ],
    ["info", "-f", "{{.Driver}} {{json .Plugins.Log}}"],
    ["exec", "web", "sh", "-c", "echo out; echo err >&2; exit 3"],
    ["exec", "web", "no-such-command"],
    ["exec", "nobody", "true"],
    ["logs", "nobody"],
    ["start", "nobody"],
    ["stop", "nobody"],
    ["wait", "nobody"],
    ["rm", "nobody"],
    ["rm", "-f", "nobody"],
    ["rm", "web"],
    ["rmi", "nobody"],
    ["rename", "one"],
    ["rm"],
    ["image", "rm"],
    ["container", "exec"],
    ["stop", ""],
    ["inspect", ""],
    ["volume", "inspect", ""],
    ["exec", "", "true"],
    ["ps", "--filter", "volume=/v"],
    ["nonsense"],
    ["container", "nonsense"],
    ["image", "-"],
    ["network", "-abc"],
    ["volume", "--nonsense=1"],
    ["volume", "nonsense"],
    ["create", "--name", "web", "bb"],
    ["run", "--foo", "bb"],
    ["run", "-m", "foo", "bb"],
    ["run", "--name"],
  ];
  for (const args of same)
    test(args.join(" "), async () => {
      const look = async () => {
        const [own, peers] = await Promise.all([cais(args), docker(args)]);
        const shown = ({ code, stdout, stderr }: Ended) => ({
          code,
          stdout: named(stdout),
          stderr: named(stderr),
        });
        return [shown(own), shown(peers)] as const;
      };
      // "5 seconds ago" may become 6 between the two: then both are asked again (on a busy machine, more than once).
      let seen = await look();
      for (let again = 0; again < 4 && !isDeepStrictEqual(...seen); again++) seen = await look();
      assert.deepEqual(...seen);
    });

  const codes: readonly (readonly [number, readonly string[]])[] = [
    [0, ["run", "--rm", "bb", "true"]],
    [7, ["run", "--rm", "bb", "sh", "-c", "exit 7"]],
    [127, ["run", "--rm", "bb", "no-such-command"]],
    [126, ["run", "--rm", "bb", "/etc"]],
    [125, ["run", "--rm", "--pull", "never", "no-such-image"]],
    [125, ["run", "--rm", "--name", "web", "bb", "true"]],
    [125, ["run", "-d", "-a", "stdin", "bb"]],
  ];
  for (const [code, args] of codes)
    test(`${args.join(" ")} ends with ${code}`, async () => {
      const own = await cais(args);
      assert.equal(own.code, code, own.stderr);
    });

  test("run -d prints the id of what it could not start", async () => {
    const own = await cais(["run", "-d", "--name", "late", "-p", "127.0.0.1:8080:80", "bb", "true"]);
    assert.deepEqual([own.code, own.stderr.includes("port is already allocated")], [125, true]);
    assert.equal(own.stdout, peer.docker("inspect", "-f", "{{.Id}}", "late"));
    peer.docker("rm", "late");
  });

  test("output and errors come apart, input goes in, nothing is lost", async () => {
    const big = Buffer.alloc(3_000_000, "0123456789abcdef\n");
    const echoed = await cais(["run", "--rm", "-i", "bb", "cat"], big);
    assert.equal(echoed.stdout, big.toString());
    const both = await cais(["run", "--rm", "bb", "sh", "-c", "echo out; echo err >&2"]);
    assert.deepEqual(both, { code: 0, stdout: "out\n", stderr: "err\n" });
  });

  test("an input that stays open does not keep a container's end from us", async () => {
    const ended = await command(CAIS, ["-H", peer.host, "run", "--rm", "-i", "bb", "echo", "x"], {
      started: () => {},
    });
    assert.deepEqual([ended.code, ended.stdout], [0, "x\n"]);
  });

  test("signals are passed on", async () => {
    const script = 'trap "echo got; exit 9" TERM; echo ready; while :; do sleep 0.1; done';
    const ended = await command(CAIS, ["-H", peer.host, "run", "--rm", "bb", "sh", "-c", script], {
      started: (child) => child.stdout?.once("data", () => child.kill("SIGTERM")),
    });
    assert.deepEqual([ended.code, ended.stdout], [9, "ready\ngot\n"]);
  });

  test("a container that is killed ends with 128 and its signal", async () => {
    const ended = await command(
      CAIS,
      ["-H", peer.host, "run", "--rm", "--name", "victim", "bb", "sh", "-c", "echo ready; sleep 100"],
      {
        started: (child) => child.stdout?.once("data", () => void docker(["kill", "victim"])),
      },
    );
    assert.equal(ended.code, 137);
  });

  test("a terminal has its size, its resizes, its keys to detach, and its exit code", async () => {
    await using first = await openTerminal(
      ["-H", peer.host, "run", "-it", "--name", "tty", "bb", "sh"],
      process.env,
    );
    await first.until("# ");
    first.type("stty size\n");
    await first.until("24 80");
    first.resize(40, 120);
    // The container hears of the new size when the engine has been told: the shell asks until then.
    first.type("until stty size | grep '40 120'; do usleep 10000; done\n");
    await first.until(/\r\n40 120/);
    first.type("\x10\x11");
    await first.until("read escape sequence");
    assert.equal(await first.ended, 0);
    await using second = await openTerminal(["-H", peer.host, "attach", "tty"], process.env);
    second.type("exit 3\n");
    assert.equal(await second.ended, 3);
    assert.equal((await cais(["rm", "tty"])).code, 0);
  });

  test("-t without a terminal is refused", async () => {
    const refused = await cais(["run", "--rm", "-it", "bb", "true"]);
    assert.deepEqual([refused.code, refused.stderr], [1, "the input device is not a TTY\n"]);
  });

  test("run -d prints the id; wait, logs, start -a and rm go on with it", async () => {
    const id = (await cais(["run", "-d", "bb", "sh", "-c", "echo o; echo e >&2; exit 4"])).stdout.trim();
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.equal((await cais(["wait", id])).stdout, "4\n");
    assert.deepEqual(await cais(["logs", id]), { code: 0, stdout: "o\n", stderr: "e\n" });
    assert.equal((await cais(["start", "-a", id])).code, 4);
    assert.equal((await cais(["rm", id])).stdout, `${id}\n`);
  });

  test("cp leaves what docker's cp leaves", async () => {
    const from = join(directory, "from");
    mkdirSync(join(from, "sub"), { recursive: true });
    writeFileSync(join(from, "file"), "hello", { mode: 0o640 });
    symlinkSync("file", join(from, "link"));
    peer.docker("exec", "web", "mkdir", "-p", "/own", "/peer");
    for (const [source, target] of [
      [from, ""],
      [`${from}/.`, "contents"],
      [join(from, "file"), "renamed"],
      [join(from, "file"), "renamed"],
      [join(from, "link"), "link"],
      [from, "renamed"],
      [join(from, "file"), "missing/"],
    ] as const) {
      const [own, peers] = [
        await cais(["cp", source, `web:/own/${target}`]),
        await docker(["cp", "-q", source, `web:/peer/${target}`]),
      ];
      assert.equal(own.code, peers.code, `${source} → ${target}: ${own.stderr}`);
    }
    const list = (top: string) =>
      peer.docker(
        "exec",
        "web",
        "sh",
        "-c",
        `cd ${top} && find . -exec stat -c '%n %A %u %g %Y' {} + | sort | sed 1d`,
      );
    assert.equal(list("/own"), list("/peer"));
    const [own, peers] = [join(directory, "own"), join(directory, "peer")];
    assert.equal((await cais(["cp", "web:/own", own])).code, 0);
    peer.docker("cp", "-q", "web:/own", peers);
    const diff = await command("diff", ["-r", "--no-dereference", own, peers]);
    assert.deepEqual(diff, { code: 0, stdout: "", stderr: "" });
    const stream = await command("sh", ["-c", `${CAIS} -H ${peer.host} cp web:/own/renamed - | tar xO`]);
    assert.equal(stream.stdout, "hello");
  });

  test("import, commit, save, load and build make images that run", async () => {
    assert.match(
      (await cais(["import", "-c", 'CMD ["echo","imported"]', busyboxTar(), "imp:1"])).stdout,
      /^sha256:/,
    );
    assert.equal((await cais(["run", "--rm", "imp:1"])).stdout, "imported\n");
    const file = join(directory, "image.tar");
    assert.equal((await cais(["save", "-o", file, "imp:1"])).code, 0);
    assert.equal((await cais(["rmi", "imp:1"])).code, 0);
    assert.equal((await cais(["load", "-i", file])).stdout, "Loaded image: imp:1\n");
    assert.match((await cais(["commit", "web", "com:1"])).stdout, /^sha256:/);
    const context = join(directory, "context");
    mkdirSync(context);
    writeFileSync(
      join(context, "Dockerfile"),
      "FROM bb\nARG A\nCOPY . /c/\nRUN echo $A > /c/arg\nCMD ls /c && cat /c/arg\n",
    );
    writeFileSync(join(context, ".dockerignore"), "skipped\n");
    for (const name of ["kept", "skipped"]) writeFileSync(join(context, name), "");
    assert.match(
      (await cais(["build", "-q", "-t", "built:1", "--build-arg", "A=7", context])).stdout,
      /^sha256:[0-9a-f]{64}\n$/,
    );
    assert.equal((await cais(["run", "--rm", "built:1"])).stdout, "Dockerfile\narg\nkept\n7\n");
    const failed = await cais(["build", "-"], "FROM bb\nRUN exit 3\n");
    assert.deepEqual(
      [failed.code, failed.stderr],
      [3, "The command '/bin/sh -c exit 3' returned a non-zero code: 3\n"],
    );
    await cais(["system", "prune", "-f"]);
    assert.equal((await cais(["rmi", "-f", "imp:1", "com:1", "built:1"])).code, 0);
  });
});
