import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { buildImage } from "../../src/build/build.ts";
import { DEFAULT_PATH } from "../../src/container/spec/process.ts";
import { runPlan } from "../../src/plan/run.ts";
import { imagesIn, scratch, streamOf, tarOf } from "../image/scratch.ts";
import { build, skip } from "./scene.ts";

describe("build", { skip }, () => {
  it("makes the tutorials' image from a root file system", async () => {
    using directory = scratch();
    const { images, output } = await build(
      directory.path,
      'FROM scratch\n# the system\nADD rootfs.tar /\nCMD ["/bin/sh"]\n',
    );
    const image = images.get("built");
    assert.match(
      output,
      /^Step 1\/3 : FROM scratch\n ---> \nStep 2\/3 : ADD rootfs\.tar \/\n ---> [0-9a-f]{12}\nStep 3\/3 : CMD \["\/bin\/sh"\]\n ---> ([0-9a-f]{12})\nSuccessfully built \1\nSuccessfully tagged built:latest\n$/,
    );
    assert.deepEqual(image.config.config?.Cmd, ["/bin/sh"]);
    const sh = images.driver.view(image.chain).lookup("bin/sh");
    assert.deepEqual([sh?.stat.uid, (sh?.stat.mode ?? 0) & 0o7777], [3, 0o4755]);
    assert.deepEqual(
      images.history("built").map((item) => item.CreatedBy.replace(/[0-9a-f]{64}/, "HASH")),
      ['/bin/sh -c #(nop) CMD ["/bin/sh"]', "/bin/sh -c #(nop) ADD file:HASH in / "],
    );
    assert.equal(fs.existsSync(join(directory.path, "build")), false);
  });

  it("copies files as told, and takes all that changes the configuration", async () => {
    using directory = scratch();
    const dockerfile = `ARG TAG=x
FROM scratch AS base
ADD rootfs.tar /
FROM base
MAINTAINER someone
ARG WHO=web
ENV HOME=/srv \\
    # between continued lines
    PATH=/bin:\${HOME}
COPY --chown=$WHO one two dir/ /var/link/
COPY one /etc/renamed
COPY *.txt /txt/
COPY --chown=5:6 --chmod=0640 one $HOME/mode
WORKDIR /made/here
WORKDIR deeper
COPY one .
USER web
EXPOSE 80/tcp
VOLUME ["/data", "/more"]
LABEL a="b c" d=e
STOPSIGNAL SIGTERM
SHELL ["/bin/other", "-e"]
ENTRYPOINT run $HOME
CMD ["x"]
HEALTHCHECK NONE
`;
    const { images } = await build(directory.path, dockerfile, { labels: { extra: "1" } }, [
      { name: "one", data: "1", mode: 0o600, uid: 99 },
      { name: "two", data: "22" },
      { name: "dir/inner", data: "333" },
      { name: "a.txt", data: "a" },
      { name: "b.txt", data: "b" },
    ]);
    const image = images.get("built");
    const view = images.driver.view(image.chain);
    const stat = (path: string) => {
      const found = view.lookup(path)?.stat;
      return found === undefined
        ? undefined
        : [found.size, found.uid, found.gid, (found.mode & 0o7777).toString(8)];
    };
    assert.deepEqual(stat("srv/real/one"), [1, 33, 34, "600"]);
    assert.deepEqual(stat("srv/real/inner"), [3, 33, 34, "644"]);
    assert.deepEqual(stat("etc/renamed"), [1, 0, 0, "600"]);
    assert.deepEqual(view.names("txt").sort(), ["a.txt", "b.txt"]);
    assert.deepEqual(stat("srv/mode"), [1, 5, 6, "640"]);
    assert.deepEqual(stat("made/here/deeper/one"), [1, 0, 0, "600"]);
    assert.deepEqual(stat("srv/real")?.slice(3), ["700"]);
    assert.deepEqual(image.config.config, {
      // One instruction sees the variables from before it (Dockerfile reference, "Environment replacement").
      // A build begins with a PATH, which keeps its place.
      Env: ["PATH=/bin:", "HOME=/srv"],
      WorkingDir: "/made/here/deeper",
      User: "web",
      ExposedPorts: { "80/tcp": {} },
      Volumes: { "/data": {}, "/more": {} },
      Labels: { a: "b c", d: "e", extra: "1" },
      StopSignal: "SIGTERM",
      Shell: ["/bin/other", "-e"],
      Entrypoint: ["/bin/other", "-e", "run $HOME"],
      Cmd: ["x"],
      Healthcheck: { Test: ["NONE"] },
    });
    assert.equal(image.config.author, "someone");
  });

  it("runs commands through what the engine gives it", async () => {
    using directory = scratch();
    const dockerfile = "FROM scratch\nADD rootfs.tar /\nARG V=1\nENV E=2\nRUN make it\n";
    const { images, output } = await build(directory.path, dockerfile, (images) => ({
      args: { V: "3" },
      async run({ chain, command, env }) {
        assert.deepEqual(
          [command, env],
          [
            ["/bin/sh", "-c", "make it"],
            [`PATH=${DEFAULT_PATH}`, "E=2", "V=3"],
          ],
        );
        const rootfs = await images.driver.createWritable("step", chain);
        assert.ok(rootfs.kind === "overlay");
        fs.writeFileSync(join(rootfs.base, rootfs.upper, "made"), "x");
        return { exitCode: 0, snapshot: "step", end: () => images.driver.remove("step") };
      },
    }));
    assert.match(output, /Step 5\/5 : RUN make it\n ---> [0-9a-f]{12}\n/);
    assert.equal(images.driver.view(images.get("built").chain).lookup("made")?.stat.size, 1);
    assert.deepEqual(images.driver.writables(), []);
    const failing = async () => ({ exitCode: 3, snapshot: "none", end: async () => undefined });
    await assert.rejects(build(directory.path, dockerfile, { run: failing }), {
      message: "The command '/bin/sh -c make it' returned a non-zero code: 3",
    });
  });

  it("begins with the usual PATH, and takes the ports that a variable holds", async () => {
    using directory = scratch();
    const { images, output } = await build(
      directory.path,
      'FROM scratch\nENV ports=" 99 100 " PATH=$PATH:/mine\nEXPOSE $ports $none 10.0.0.1:80:90/udp\n',
      { labels: { one: "1", two: "a b" } },
    );
    const { config } = images.get("built").config;
    assert.deepEqual(Object.keys(config?.ExposedPorts ?? {}), ["99/tcp", "100/tcp", "90/udp"]);
    assert.match(config?.Env?.[0] ?? "", /^PATH=\/usr\/local\/sbin:.*:\/bin:\/mine$/);
    assert.match(output, /Step 4\/5 : LABEL one=1\n.*\nStep 5\/5 : LABEL two=a b\n/);
    assert.deepEqual(config?.Labels, { one: "1", two: "a b" });
  });

  it("follows links of the context, but never out of it", async () => {
    using directory = scratch();
    const dockerfile = "FROM scratch\nCOPY file /a\nCOPY way/in /b\nCOPY abs /c\nCOPY l* /d/\nCOPY dir /e\n";
    const files = [
      { name: "real", data: "file" },
      { name: "dir/in", data: "inside" },
      { name: "file", type: "symlink", link: "real" },
      { name: "way", type: "symlink", link: "../../dir" },
      { name: "abs", type: "symlink", link: "/dir/in" },
      { name: "l1", type: "symlink", link: "file" },
      { name: "dir/kept", type: "symlink", link: "in" },
      { name: "loop", type: "symlink", link: "loop" },
    ] as const;
    const { images } = await build(directory.path, dockerfile, {}, files);
    const view = images.driver.view(images.get("built").chain);
    const text = (path: string) => fs.readFileSync(view.lookup(path)?.file ?? "", "utf8");
    assert.deepEqual(["a", "b", "c", "d/l1", "e/in"].map(text), [
      "file",
      "inside",
      "inside",
      "file",
      "inside",
    ]);
    assert.equal(
      view.lookup("e/kept")?.stat.isSymbolicLink(),
      true,
      "what a directory holds is copied as it is",
    );
    assert.deepEqual(view.names("d"), ["l1"]);
    await assert.rejects(
      build(directory.path, "FROM scratch\nCOPY loop /\n", {}, files),
      /file not found in build context/,
    );
  });

  it("does not show ADD the Dockerfile and the list where the list names them", async () => {
    for (const [list, left] of [
      ["other\n", [".dockerignore", "Dockerfile", "real", "rootfs.tar"]],
      ["./Dockerfile\n", [".dockerignore", "real", "rootfs.tar"]],
      ["**\n!real\n", ["real", "rootfs.tar"]],
      ["[\nDockerfile\n", [".dockerignore", "Dockerfile", "real", "rootfs.tar"]],
    ] as const) {
      using directory = scratch();
      const { images } = await build(directory.path, "FROM scratch\nCOPY . /\n", {}, [
        { name: ".dockerignore", data: list },
        { name: "real", data: "x" },
      ]);
      const view = images.driver.view(images.get("built").chain);
      assert.deepEqual(view.names("").toSorted(), left, list);
    }
  });

  it("takes a context whose last file is not filled up, and a Dockerfile by a link", async () => {
    using directory = scratch();
    const images = await imagesIn(directory.path);
    const whole = tarOf(
      { name: "dockerfile", type: "symlink", link: "sub/Dockerfile" },
      { name: "sub/Dockerfile", data: "FROM scratch\nCOPY last /\n" },
      { name: "last", data: "end" },
    );
    await buildImage({
      images,
      runPlan,
      context: streamOf(whole.subarray(0, whole.length - 1024 - 509)),
      directory: join(directory.path, "build"),
      tags: ["built"],
    });
    assert.equal(images.driver.view(images.get("built").chain).lookup("last")?.stat.size, 3);
  });

  it("takes for wrong only what is wrong", async () => {
    using directory = scratch();
    const { images } = await build(
      directory.path,
      `FROM scratch AS a-1.b_c
ARG A="x =y" B=\${none:-"p =q"} C
ENV a=\${A} "quoted key"=1 b=\${none:-"two words"}
LABEL "l m"="n =o"
HEALTHCHECK --interval=5s --timeout=3s CMD curl --fail x
COPY --link Dockerfile /
CMD [ "$a" = 1 ]
ONBUILD COPY --from=x y z
`,
    );
    const { config } = images.get("built").config;
    assert.deepEqual(config?.Env?.slice(1), ["a=x =y", "quoted key=1", "b=two words"]);
    assert.deepEqual(config?.Labels, { "l m": "n =o" });
    assert.deepEqual(config?.Cmd, ["/bin/sh", "-c", '[ "$a" = 1 ]']);
  });

  it("reads substitutions up to the brace that is theirs", async () => {
    using directory = scratch();
    const { images } = await build(
      directory.path,
      "FROM scratch\nENV a=A\nENV b=${x:-\\${a}:} c=${x:-${a}:} d=${x:-{a}} e=${x:-\\}}\n",
    );
    assert.deepEqual(images.get("built").config.config?.Env?.slice(2), ["b=${a:}", "c=A:", "d={a}", "e=}"]);
  });

  it("makes no layer of a command that changed nothing", async () => {
    using directory = scratch();
    const { images } = await build(
      directory.path,
      'FROM scratch\nADD rootfs.tar /\nCMD ["this"]\nRUN []\n',
      (images) => ({
        async run({ chain, command }) {
          assert.deepEqual(command, ["this"]);
          await images.driver.createWritable("step", chain);
          return { exitCode: 0, snapshot: "step", end: () => images.driver.remove("step") };
        },
      }),
    );
    const { config } = images.get("built");
    assert.equal(config.rootfs.diff_ids.length, 1);
    assert.equal(config.history?.at(-1)?.empty_layer, true);
  });

  it("takes nothing of another stage through a link to the machine, and puts nothing there", async () => {
    using directory = scratch();
    const victim = join(directory.path, "victim");
    fs.mkdirSync(victim);
    fs.writeFileSync(join(victim, "secret"), "of the machine");
    const stage = tarOf(
      { name: "a/", type: "directory" },
      { name: "a/l", type: "symlink", link: victim },
      { name: `${victim.slice(1)}/x`, data: "of the stage" },
    );
    const dockerfile =
      "FROM scratch AS one\nADD stage.tar /\nFROM scratch\nCOPY --from=one /a /a/l/x /a/l/secret /to/\n";
    const failed = await build(directory.path, dockerfile, {}, [
      { name: "stage.tar", data: stage.toString("latin1") },
    ]).then(() => "", String);
    assert.deepEqual(fs.readdirSync(victim), ["secret"]);
    assert.match(failed, /secret/);
    const { images } = await build(directory.path, dockerfile.replace(" /a/l/secret", ""), {}, [
      { name: "stage.tar", data: stage.toString("latin1") },
    ]);
    assert.deepEqual(fs.readdirSync(victim), ["secret"]);
    const view = images.driver.view(images.get("built").chain);
    assert.deepEqual(view.names("to").toSorted(), ["l", "x"]);
  });
});
