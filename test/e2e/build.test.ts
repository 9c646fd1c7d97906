import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CAIS, command, type Ended } from "../support/cais.ts";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";

/** Builds through the command line, with a real engine: RUN is a real container. */
describe("build", needs(root(), busyboxMissing()), () => {
  let engine: TestEngine;
  const context = mkdtempSync(join(tmpdir(), "cais-build-"));
  before(async () => {
    engine = await startEngine();
    await engine.ok(["import", busyboxTar(), "bb"]);
  });
  after(async () => {
    await engine?.[Symbol.asyncDispose]();
    rmSync(context, { recursive: true });
  });

  const files = (all: Readonly<Record<string, string>>): void => {
    for (const [name, text] of Object.entries(all)) {
      mkdirSync(dirname(join(context, name)), { recursive: true });
      writeFileSync(join(context, name), text);
    }
  };
  const build = (dockerfile: string, ...flags: string[]): Promise<Ended> => {
    files({ Dockerfile: dockerfile });
    return engine.cais(["build", "--network", "none", "-t", "made", ...flags, context]);
  };
  const built = async (dockerfile: string, ...flags: string[]): Promise<string> => {
    const { code, stdout, stderr } = await build(dockerfile, ...flags);
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  };
  const run = (...words: string[]) => engine.ok(["run", "--rm", "--network", "none", "made", ...words]);
  const plain = (text: string) => text.replace(/\b[0-9a-f]{12}\b/g, "ID");

  test("an image without variables has the usual PATH, for ENV to build upon", async () => {
    await built("FROM bb\nENV PATH=/opt/bin:$PATH\n");
    const path = "/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert.equal(await run("sh", "-c", "echo $PATH"), path);
    await built("FROM bb\nCMD echo\n");
    assert.match(
      await engine.ok(["inspect", "-f", "{{.Config.Env}}", "made"]),
      /^\[PATH=\/usr\/local\/sbin:/,
    );
  });

  test("-q and --iidfile: the id alone, and in the file", async () => {
    const file = join(context, "iid");
    const id = await built("FROM bb\nCMD echo\n", "-q", "--iidfile", file);
    assert.equal(readFileSync(file, "utf8"), id.trim());
    assert.match(id, /^sha256:[0-9a-f]{64}\n$/);
    rmSync(file);
  });

  test("what can only fail later is refused in its line", async () => {
    for (const [line, says] of [
      ["VOLUME []", /VOLUME requires at least one argument/],
      ["STOPSIGNAL FOO", /invalid signal: FOO/],
      ["ONBUILD FROM bb", /FROM isn't allowed as an ONBUILD trigger/],
      ["ONBUILD ONBUILD RUN x", /Chaining ONBUILD/],
    ] as const) {
      const { code, stderr } = await build(`FROM bb\n${line}\n`);
      assert.equal(code, 1, line);
      assert.match(stderr, says);
    }
  });

  test("RUN: a container of what there is, its changes a layer, Docker's lines", async () => {
    const dockerfile =
      'FROM bb\nARG V=1\nENV E=2\nWORKDIR /w\nUSER 7\nUSER 0\nRUN echo out $V $E in $PWD; echo made > file; rm /etc/group\nRUN ["/bin/sh","-c","cat file"]\nCMD ["cat","/w/file"]\n';
    assert.equal(
      plain(await built(dockerfile, "--build-arg", "V=7")),
      [
        ...[
          "Step 1/9 : FROM bb",
          " ---> ID",
          "Step 2/9 : ARG V=1",
          " ---> ID",
          "Step 3/9 : ENV E=2",
          " ---> ID",
        ],
        ...[
          "Step 4/9 : WORKDIR /w",
          " ---> ID",
          "Step 5/9 : USER 7",
          " ---> ID",
          "Step 6/9 : USER 0",
          " ---> ID",
        ],
        "Step 7/9 : RUN echo out $V $E in $PWD; echo made > file; rm /etc/group",
        ...[" ---> Running in ID", "out 7 2 in /w", " ---> Removed intermediate container ID", " ---> ID"],
        'Step 8/9 : RUN ["/bin/sh","-c","cat file"]',
        ...[" ---> Running in ID", "made", " ---> Removed intermediate container ID", " ---> ID"],
        ...[
          'Step 9/9 : CMD ["cat","/w/file"]',
          " ---> ID",
          "Successfully built ID",
          "Successfully tagged made:latest",
          "",
        ],
      ].join("\n"),
    );
    assert.equal(await run(), "made");
    assert.equal(
      (await engine.cais(["run", "--rm", "--network", "none", "made", "ls", "/etc/group"])).code,
      1,
    );
    assert.match(await engine.ok(["history", "--no-trunc", "made"]), /\|1 V=7 \/bin\/sh -c echo out/);
    assert.equal(await engine.ok(["ps", "-aq"]), "");
  });

  test("what was built before is used again: by words, by content, not by time", async () => {
    const dockerfile = "FROM bb\nRUN date > /when\nCOPY a /a\nRUN cat /a\nLABEL l=m\n";
    files({ a: "one" });
    const first = await built(dockerfile);
    assert.doesNotMatch(first, /Using cache/);
    utimesSync(join(context, "a"), 1, 1);
    const again = await built(dockerfile);
    assert.equal(again.match(/Using cache/g)?.length, 4);
    assert.equal(/built (\w+)/.exec(again)?.[1], /built (\w+)/.exec(first)?.[1]);
    files({ a: "two" });
    const changed = await built(dockerfile);
    assert.equal(changed.match(/Using cache/g)?.length, 1);
    assert.match(changed, /\ntwo/);
    assert.doesNotMatch(await built(dockerfile, "--no-cache"), /Using cache/);
  });

  test("an argument that is used makes another image, one that is not is told", async () => {
    const dockerfile = "ARG BASE=bb\nFROM $BASE\nARG V\nRUN echo v=$V\n";
    assert.match(await built(dockerfile, "--build-arg", "V=1"), /v=1/);
    assert.match(await built(dockerfile, "--build-arg", "V=2"), /v=2/);
    assert.match(await built(dockerfile, "--build-arg", "V=1"), /Using cache/);
    const unused = await built(dockerfile, "--build-arg", "NOPE=1");
    assert.match(unused, /\[Warning\] One or more build-args \[NOPE\] were not consumed/);
    // What stands before FROM, and what another stage has, is not known in a stage.
    assert.match(await built("ARG A=x\nFROM bb AS one\nARG B=y\nFROM bb\nRUN echo [$A$B]\n"), /\n\[\]\n/);
  });

  test("files of another stage, of an image, and by pattern; the stages can be chosen", async () => {
    files({ own: "of the context" });
    const dockerfile = [
      "FROM bb AS one",
      "RUN mkdir -p /out/deep && echo 1 > /out/deep/x1 && echo 2 > /out/x2 && ln -s x2 /out/link && chmod 600 /out/x2 && chown 5:6 /out/x2",
      "FROM bb AS two",
      "COPY --from=one /out/ /got/",
      "COPY --from=0 --chown=3:4 /out/x* /many/",
      "COPY --from=one /out/link /followed",
      "COPY --from=bb /bin/busybox /tool",
      "COPY own /own",
      "FROM two",
      "RUN true",
    ].join("\n");
    await built(dockerfile);
    const seen = await run(
      "sh",
      "-c",
      "cd /got && stat -c '%n %F %a %u:%g' deep/x1 x2 link /many/x2 /followed; readlink link; cat /followed /own",
    );
    assert.deepEqual(seen.split("\n"), [
      "deep/x1 regular file 644 0:0",
      "x2 regular file 600 0:0",
      "link symbolic link 777 0:0",
      "/many/x2 regular file 600 3:4",
      "/followed regular file 600 0:0",
      "x2",
      "2",
      "of the context",
    ]);
    assert.match(await built(dockerfile, "--target", "one"), /Step 2\/2/);
    const refused = await build("FROM bb\nCOPY --from=nonesuch:1 /a /b\n");
    assert.match(refused.stdout + refused.stderr, /No such image: nonesuch:1/);
  });

  test("ONBUILD runs in what is built on top, once", async () => {
    await built("FROM bb\nONBUILD RUN echo triggered > /t\nONBUILD ENV T=1\n", "-t", "base");
    const output = await built("FROM base\nCMD true\n");
    assert.match(output, /# Executing 2 build triggers\n/);
    assert.equal(await run("sh", "-c", "cat /t; echo $T"), "triggered\n1");
    assert.doesNotMatch(await built("FROM made\nCMD true\n", "-t", "third"), /Executing/);
  });

  test("HEALTHCHECK, SHELL and STOPSIGNAL are the image's", async () => {
    await built(
      'FROM bb\nSHELL ["/bin/sh","-ec"]\nHEALTHCHECK --interval=1s --retries=2 CMD true\nSTOPSIGNAL SIGINT\n',
    );
    const config = JSON.parse(await engine.ok(["image", "inspect", "-f", "{{json .Config}}", "made"]));
    assert.deepEqual(config.Healthcheck, { Test: ["CMD-SHELL", "true"], Interval: 1e9, Retries: 2 });
    assert.deepEqual([config.Shell, config.StopSignal], [["/bin/sh", "-ec"], "SIGINT"]);
  });

  test("a command that fails ends the build with its code; its container is kept to be looked at", async () => {
    const { code, stdout, stderr } = await build("FROM bb\nRUN echo before; exit 7\n", "-t", "never");
    assert.equal(code, 7);
    assert.match(stdout, /before\n/);
    assert.match(stderr, /The command '\/bin\/sh -c echo before; exit 7' returned a non-zero code: 7/);
    assert.notEqual((await engine.cais(["image", "inspect", "never"])).code, 0);
    const kept = (await engine.ok(["ps", "-aq"])).split("\n").filter(Boolean);
    assert.equal(kept.length, 1);
    await engine.ok(["rm", ...kept]);
    await build("FROM bb\nRUN exit 8\n", "--force-rm");
    assert.equal(await engine.ok(["ps", "-aq"]), "");
    assert.deepEqual(readdirSync(join(engine.root, "builds")), []);
  });

  test("limits of RUN are those of a container", async () => {
    const output = await built(
      "FROM bb\nRUN ulimit -n; df /dev/shm | tail -1\n",
      "--ulimit",
      "nofile=77:77",
      "--shm-size",
      "4m",
    );
    assert.match(output, /\n77\n.*4096/);
  });

  test("another machine's platform is refused", async () => {
    const { code, stderr } = await build("FROM bb\n", "--platform", "linux/riscv64");
    assert.notEqual(code, 0);
    assert.match(stderr, /Cannot build for linux\/riscv64: this machine is linux\//);
  });

  test("who goes away takes the build along", async () => {
    files({ Dockerfile: "FROM bb\nRUN echo be_gun | tr -d _; sleep 1000\n" });
    const words = ["build", "--network", "none", context];
    const child = spawn(CAIS, words, { env: engine.env, stdio: ["ignore", "pipe", "ignore"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
    while (!said.includes("begun")) await once(child.stdout, "data");
    child.kill("SIGKILL");
    while ((await engine.ok(["ps", "-aq"])) !== "") await new Promise((resolve) => setTimeout(resolve, 20));
  });

  const docker = needs(program("docker", "docker.io"));
  test("the docker client builds by itself with what is here", docker, async () => {
    files({ Dockerfile: "FROM bb\nRUN echo from docker > /d\n" });
    const { DOCKER_BUILDKIT: _, ...rest } = process.env;
    const env = { ...rest, DOCKER_HOST: engine.env.DOCKER_HOST };
    const { code, stdout, stderr } = await command(
      "docker",
      ["build", "--network", "none", "-t", "made", context],
      { env },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Successfully tagged made:latest/);
    assert.equal(await run("cat", "/d"), "from docker");
  });
});
