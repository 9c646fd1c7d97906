import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { imagesIn, scratch, treeOf } from "../image/scratch.ts";
import { build, skip } from "./scene.ts";

describe("builds that are refused", { skip }, () => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    [
      "an unknown instruction",
      "FROM scratch\n\nFOO bar\n",
      /dockerfile parse error on line 3: unknown instruction: FOO/,
    ],
    ["no FROM", "CMD x\n", /line 1: CMD: no build stage in current context/],
    ["an empty file", "", /cannot be empty/],
    ["a file without instructions", "# nothing\n", /file with no instructions/],
    [
      "a missing source",
      "FROM scratch\nCOPY nope /\n",
      /line 2: COPY: file not found in build context.*nope/,
    ],
    [
      "a source outside",
      "FROM scratch\nCOPY ../../etc/passwd /\n",
      /forbidden path outside the build context/,
    ],
    ["a link as a way out", "FROM scratch\nCOPY out/passwd /\n", /file not found in build context/],
    [
      "a here-document",
      "FROM scratch\nCOPY <<EOF /x\nhi\nEOF\n",
      /line 2: COPY with a here-document is not supported/,
    ],
    [
      "RUN without an engine",
      "FROM scratch\nRUN true\n",
      /line 2: RUN: commands cannot be run during a build yet/,
    ],
    ["an unknown base", "FROM nothing:1\n", /line 1: FROM: No such image: nothing:1/],
    ["a URL", "FROM scratch\nADD http://x/y /\n", /only files of the build context/],
    ["a URL that is copied", "FROM scratch\nCOPY http://x/y /\n", /source can't be a URL for COPY/],
    [
      "a stage that is not there",
      "FROM scratch\nCOPY --from=7 a b\n",
      /invalid from flag value 7: index out of bounds/,
    ],
    [
      "its own files as another's",
      "FROM scratch\nCOPY --from=0 a b\n",
      /invalid from flag value 0: refers to current build stage/,
    ],
    ["an unknown flag", "FROM scratch\nCOPY --linked a b\n", /parse error on line 2: unknown flag: --linked/],
    ["a flag where none is taken", "FROM scratch\nMAINTAINER --boo me\n", /line 2: unknown flag: --boo/],
    [
      "a flag twice",
      "FROM scratch\nCOPY --chown=1 --chown=2 a b\n",
      /line 2: duplicate flag specified: --chown/,
    ],
    [
      "a flag without its value",
      "FROM scratch\nCOPY --from a b\n",
      /line 2: missing a value on flag: --from/,
    ],
    ["an open quote", 'FROM scratch\nENV A="b\n', /line 2: ENV: unexpected end of statement/],
    ["a bad protocol", "FROM scratch\nEXPOSE 80/foo\n", /Invalid proto: foo/],
    [
      "one argument of two",
      "FROM scratch\nCOPY a\n",
      /line 2: COPY requires at least two arguments, but only one was/,
    ],
    ["no argument", "FROM scratch\nUSER\n", /line 2: USER requires exactly one argument/],
    [
      "a list of more than texts",
      'FROM scratch\nCMD ["a", 1]\n',
      /line 2: .*arrays must be comprised of strings only/,
    ],
    ["a stage by a number", "FROM scratch AS 1st\n", /line 1: invalid name for build stage: "1st"/],
    ["a stage's name twice", "FROM scratch AS a\nFROM scratch AS a\nENV x=1\n", /a stage name already used/],
    ["an argument without a name", "FROM scratch\nARG =x\n", /line 2: ARG names can not be blank/],
    ["two escape directives", "# escape=`\n# escape=`\nFROM scratch\n", /only one escape parser directive/],
    ["a platform that is none", "FROM --platform=foobar scratch\n", /"foobar": unknown operating system or/],
    ["an image of nothing", "FROM scratch\n", /No image was generated/],
    [
      "files for one name",
      "FROM scratch\nADD rootfs.tar Dockerfile x\n",
      /When using ADD with more than one source file/,
    ],
    [
      "a wrong line before it does the first",
      "FROM nothing:1\nSHELL sh\n",
      /line 2: SHELL requires the arguments/,
    ],
    ["a bad port", "FROM scratch\nEXPOSE 70000\n", /Invalid containerPort: 70000/],
  ];
  for (const [what, dockerfile, sentence] of refused) {
    it(`refuses ${what} by its line, and leaves nothing`, async () => {
      using directory = scratch();
      await imagesIn(directory.path);
      const before = treeOf(directory.path);
      await assert.rejects(
        build(directory.path, dockerfile, {}, [{ name: "out", type: "symlink", link: "/etc" }]),
        sentence,
      );
      await imagesIn(directory.path);
      assert.deepEqual(treeOf(directory.path), before);
    });
  }

  it("says that the Dockerfile is not there", async () => {
    using directory = scratch();
    await assert.rejects(
      build(directory.path, "FROM scratch\n", { dockerfile: "other" }),
      /Cannot locate specified Dockerfile: other/,
    );
    await assert.rejects(
      build(directory.path, "FROM scratch\n", { dockerfile: "../../etc/passwd" }),
      /Cannot locate specified Dockerfile/,
    );
  });

  it("puts no directory where a file is", async () => {
    for (const [line, sentence] of [
      ["COPY Dockerfile /bin/sh/", /failed to copy files: \/bin\/sh: not a directory/],
      ["COPY . /bin/sh", /failed to copy files: \/bin\/sh: not a directory/],
      ["WORKDIR /bin/sh", /Cannot mkdir: \/bin\/sh is not a directory/],
      ["VOLUME /bin/sh", /cannot mount volume over existing file, file exists \/bin\/sh/],
    ] as const) {
      using directory = scratch();
      await assert.rejects(build(directory.path, `FROM scratch\nADD rootfs.tar /\n${line}\n`), sentence);
    }
  });

  it("is not kept busy by Dockerfiles that are made for it", async () => {
    const begun = performance.now();
    const long = (line: string) => line.repeat(Math.floor((3.9 * 1024 * 1024) / line.length));
    for (const [dockerfile, refusal] of [
      [`FROM scratch\nLABEL a=b${long(" \\\n#")}x`, undefined],
      [`FROM scratch\nLABEL a=${long("b\\\n")}`, /128 KiB/],
      [`FROM scratch\nCOPY ${long("--a ")} /`, /too many flags/],
      [`FROM scratch\nLABEL a=${long("$a")}`, undefined],
      [`FROM scratch\nLABEL a=${long("${a:-")}`, /bad substitution/],
      [`FROM scratch\nLABEL a=${"${a:-".repeat(60)}${"}".repeat(60)}`, /nest too deeply/],
      [
        `FROM scratch\nENV a=0123456789\n${Array.from({ length: 60 }, () => "ENV a=$a$a\n").join("")}`,
        /longer than 128 KiB/,
      ],
      [`FROM scratch\nEXPOSE ${long("1 ")}`, undefined],
    ] as const) {
      using directory = scratch();
      const said = await build(directory.path, dockerfile).then(() => "", String);
      if (refusal !== undefined) assert.match(said.slice(0, 500), refusal, dockerfile.slice(0, 60));
    }
    assert.ok(performance.now() - begun < 30_000);
  });
});
