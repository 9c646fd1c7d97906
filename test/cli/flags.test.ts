import assert from "node:assert/strict";
import { test } from "node:test";
import { bool, int, list, parsed, text } from "../../src/cli/flags/flag.ts";
import { parseFlags } from "../../src/cli/flags/parse.ts";
import { bytes, bytesOrUnlimited, duration, nanoCpus, ulimit } from "../../src/cli/flags/quantity.ts";

const flags = {
  detach: bool("", { short: "d" }),
  env: list("", { short: "e" }),
  interactive: bool("", { short: "i" }),
  memory: parsed("bytes", "", bytes, { short: "m" }),
  name: text(""),
  rm: bool(""),
  "sig-proxy": bool("", { initial: true }),
  time: int("", { short: "t" }),
};
const read = (words: readonly string[], stop = false) => parseFlags(flags, words, stop);

test("flags are read in every form that Docker takes", () => {
  const it = read([
    "-di",
    "-eA=1",
    "-e",
    "B=2",
    "-e=C",
    "--env",
    "D",
    "--env=E=5",
    "--rm=false",
    "--name=x",
    "-t5",
    "img",
  ]);
  assert.deepEqual(it.values.env, ["A=1", "B=2", "C", "D", "E=5"]);
  assert.deepEqual([it.values.detach, it.values.interactive, it.values.rm], [true, true, false]);
  assert.equal(it.values.name, "x");
  assert.equal(it.values.time, 5);
  assert.equal(it.values["sig-proxy"], true);
  assert.deepEqual(it.args, ["img"]);
  assert.deepEqual([...it.given].sort(), ["detach", "env", "interactive", "name", "rm", "time"]);
});

test("what comes after the first argument belongs to the container only where the command says so", () => {
  assert.deepEqual(read(["img", "--rm", "-d"], true).args, ["img", "--rm", "-d"]);
  assert.deepEqual(read(["a", "--rm", "b"]).args, ["a", "b"]);
  assert.deepEqual(read(["--", "--rm", "-"]).args, ["--rm", "-"]);
  assert.deepEqual(read(["-d", "--", "img", "-x"], true).args, ["img", "-x"]);
});

test("a command line that is wrong is refused in Docker's words", () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["--foo"], "unknown flag: --foo"],
    [["--__proto__=1"], "unknown flag: --__proto__"],
    [["-dx"], "unknown shorthand flag: 'x' in -dx"],
    [["--name"], "flag needs an argument: --name"],
    [["-e"], "flag needs an argument: 'e' in -e"],
    [["-m", "foo"], 'invalid argument "foo" for "-m, --memory" flag: invalid size: \'foo\''],
    [
      ["--rm=foo"],
      'invalid argument "foo" for "--rm" flag: strconv.ParseBool: parsing "foo": invalid syntax',
    ],
    [
      ["-t", "x"],
      'invalid argument "x" for "-t, --time" flag: strconv.ParseInt: parsing "x": invalid syntax',
    ],
  ];
  for (const [words, message] of cases) assert.throws(() => read(words), { message });
});

test("help is asked for by --help, and by -h where no flag is called so", () => {
  assert.equal(read(["--help"]).help, true);
  assert.equal(read(["-h"]).help, true);
  assert.equal(parseFlags({ hostname: text("", { short: "h" }) }, ["-h", "x"], false).help, false);
});

test("quantities", () => {
  assert.deepEqual(
    ["48m", "1.5g", "512", "2KiB", "10kb", "0"].map(bytes),
    [50331648, 1610612736, 512, 2048, 10240, 0],
  );
  for (const wrong of ["", "x", "-1", "1x", "m", "1 000"]) assert.throws(() => bytes(wrong), /invalid size/);
  assert.equal(bytesOrUnlimited("-1"), -1);
  assert.deepEqual(["0.2", "1", ".5", "1.5"].map(nanoCpus), [200_000_000, 1e9, 500_000_000, 1_500_000_000]);
  for (const wrong of ["", ".", "-1", "x", "0.0000000001"]) assert.throws(() => nanoCpus(wrong));
  assert.deepEqual(["1h30m", "500ms", "1.5s", "0", "-2s"].map(duration), [5.4e12, 5e8, 1.5e9, 0, -2e9]);
  assert.throws(() => duration("5"), /missing unit in duration "5"/);
  assert.throws(() => duration("5 m"), /invalid duration/);
  assert.deepEqual(ulimit("nofile=1024:2048"), { Name: "nofile", Soft: 1024, Hard: 2048 });
  assert.deepEqual(ulimit("core=-1"), { Name: "core", Soft: -1, Hard: -1 });
  for (const wrong of ["nofile", "foo=1", "nofile=2:1", "nofile=-1:5", "nofile=x"])
    assert.throws(() => ulimit(wrong));
});
