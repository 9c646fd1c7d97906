// Safe beside other test files.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { frontProgram } from "../../src/front/program.ts";
import { hostArch } from "../../src/kernel/arch.ts";
import { assemblerOf } from "../../src/plan/compile.ts";
import { elf } from "../../src/plan/program/elf.ts";
import { at, imm, slot, Writer } from "../../src/plan/program/writer.ts";
import { FRONT_ANSWER, ORDER } from "../../src/wire/front.ts";
import { interpreterOf, machineMissing } from "../plan/machine.ts";
import { command } from "../support/cais.ts";
import { needs } from "../support/skip.ts";
import { fakeEngine, order } from "./fake.ts";

const directory = mkdtempSync(join(tmpdir(), "cais-front-machine-"));
after(() => rmSync(directory, { recursive: true }));

/** exit_group(7), by hand. */
const EXIT_7 = {
  x86_64: [0xbf, 7, 0, 0, 0, 0xb8, 231, 0, 0, 0, 0x0f, 0x05],
  aarch64: [0xe0, 0, 0x80, 0xd2, 0xc8, 0x0b, 0x80, 0xd2, 1, 0, 0, 0xd4],
} as const;

for (const arch of ["x86_64", "aarch64"] as const) {
  const can = needs(arch === hostArch() ? undefined : machineMissing(arch));
  const write = (name: string, bytes: Uint8Array): string[] => {
    const path = join(directory, `${name}-${arch}`);
    writeFileSync(path, bytes, { mode: 0o700 });
    const interpreter = interpreterOf(arch);
    return interpreter === undefined ? [path] : [interpreter, path];
  };
  const front = () =>
    write(
      "front",
      elf(
        arch,
        frontProgram({
          arch,
          build: "b1",
          original: { entry: 1, interpreter: "/not/there", headers: new Uint8Array(56) },
        }),
      ),
    );

  test(`${arch}: a program finds its stack and leaves for another`, can, async () => {
    const writer = new Writer();
    writer.stack("stack");
    writer.load("words", slot("stack"), 0, 8);
    writer.if(slot("words"), "eq", imm(3), "good");
    writer.syscall("exit_group", imm(1));
    writer.label("good");
    writer.enter(at({ kind: "bytes", bytes: Uint8Array.from(EXIT_7[arch]) }), slot("stack"));
    const addresses = writer.layout.addresses();
    const code = assemblerOf(arch).assemble(writer.ops, addresses);
    const [program = "", ...words] = write("enter", elf(arch, addresses.image(code)));
    assert.equal((await command(program, [...words, "two", "three"])).code, 7);
  });

  test(
    `${arch}: the front hands over words, directory and environment, and does as it is told`,
    can,
    async () => {
      let seen = "";
      await using engine = await fakeEngine((socket, request) => {
        seen = request.toString("latin1");
        const said = [order(ORDER.stdout, 3), "out", order(ORDER.stderr, 3), "err", order(ORDER.exit, 42)];
        socket.end(Buffer.concat([FRONT_ANSWER, ...said].map((it) => Buffer.from(it))));
      });
      const [program = "", ...words] = front();
      const ended = await command(program, [...words, "run", "", "last"], {
        env: { ...engine.env, MARK: "here" },
        cwd: directory,
      });
      assert.deepEqual(ended, { code: 42, stdout: "out", stderr: "err" });
      assert.match(seen, /^POST \/cais\/command\?build=b1 HTTP\/1\.1\r\n/);
      assert.ok(seen.includes(`${directory}\0`), "the directory");
      assert.ok(seen.includes("\0run\0\0last\0"), "the words");
      assert.ok(seen.includes("\0MARK=here\0"), "the environment");
    },
  );

  test(`${arch}: without an engine the original begins; who cannot be loaded is named`, can, async () => {
    const [program = "", ...words] = front();
    const env = { ...process.env, CAIS_HOST: `unix://${directory}/nobody.sock` };
    const ended = await command(program, [...words, "ps"], { env });
    assert.equal(ended.code, 127);
    assert.match(ended.stderr, /cannot load \/not\/there/);
  });
}
