import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readConfig } from "../../src/oci/runtime/config.ts";
import { stateOf } from "../../src/runtime/status.ts";
import { CAIS, command } from "../support/cais.ts";
import { properties, type Schema, schemaFile, schemasMissing, violations } from "../support/schema.ts";
import { needs } from "../support/skip.ts";

// The runtime specification's JSON schemas: what is written is as they say, what they have is read, what they do not
// allow is refused.

const can = { ...needs(schemasMissing()), timeout: 120_000 };

const BASE = {
  ociVersion: "1.0.2",
  root: { path: "rootfs" },
  process: { user: { uid: 0, gid: 0 }, args: ["sh"], cwd: "/" },
  linux: { namespaces: [{ type: "mount" }] },
};

/** What is for other systems, or means nothing on Linux. */
const ELSEWHERE = /^(windows|solaris|vm|zos)\b|^process\.(commandLine|user\.username)$/;

/** A configuration in which one property has a value. */
function configWith(path: readonly (string | number)[], value: unknown): string {
  const config = structuredClone(BASE) as Record<string | number, unknown>;
  let at = config;
  for (const [index, part] of path.slice(0, -1).entries()) {
    at[part] ??= typeof path[index + 1] === "number" ? [] : {};
    at = at[part] as Record<string | number, unknown>;
  }
  at[path.at(-1) ?? ""] = value;
  return JSON.stringify(config);
}

const nameOf = (path: readonly (string | number)[]) =>
  path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`))
    .join("")
    .slice(1);

/** A value of no type that a schema has. */
const WRONG: readonly unknown[] = ["text", 5, true, [], {}];

test("what spec writes and state tells is as the schemas say", can, async () => {
  const directory = mkdtempSync(join(tmpdir(), "cais-schema-"));
  try {
    for (const flags of [[], ["--rootless"]]) {
      const ended = await command(CAIS, ["runtime", "spec", ...flags, "--bundle", directory]);
      assert.equal(ended.code, 0, ended.stderr);
      const file = join(directory, "config.json");
      const written = JSON.parse(readFileSync(file, "utf8")) as object;
      rmSync(file);
      assert.deepEqual(violations(written, schemaFile("config-schema.json")), []);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  const document = {
    ...{
      format: "cais-runtime/1" as const,
      ociVersion: "1.0.2",
      id: "box",
      bundle: "/b",
      rootfs: "/b/r",
      owner: 0,
    },
    ...{
      created: "2026-01-01T00:00:00Z",
      cgroup: "/c",
      process: BASE.process,
      late: {},
      annotations: { a: "b" },
    },
  } as const;
  for (const status of ["creating", "created", "running", "stopped"] as const)
    assert.deepEqual(
      violations(stateOf(document, { status, pid: 5 }, ""), schemaFile("state-schema.json")),
      [],
    );
});

test("every property that the schemas have for Linux is known", can, () => {
  let count = 0;
  for (const { at, path } of properties(schemaFile("config-schema.json"))) {
    const name = nameOf(path);
    if (ELSEWHERE.test(name)) continue;
    count++;
    const value = WRONG.find((each) => violations(each, at).length === 0) ?? "text";
    let warnings: readonly string[] = [];
    try {
      warnings = readConfig(configWith(path, value), "config.json").warnings;
    } catch {
      // The value is not enough; the property is known then.
    }
    assert.deepEqual(
      warnings.filter((each) => each.startsWith(`${name}:`)),
      [],
      name,
    );
  }
  assert.ok(count > 150, String(count));
});

test("what is of no type that the schemas allow is refused by name", can, () => {
  for (const { at, path } of properties(schemaFile("config-schema.json"))) {
    const name = nameOf(path);
    if (ELSEWHERE.test(name)) continue;
    const { type } = at.schema as Schema & { type?: string };
    for (const value of WRONG) {
      if (type === undefined || violations(value, at).every((each) => !/: no /.test(each))) continue;
      assert.throws(
        () => readConfig(configWith(path, value), "config.json"),
        (error: unknown) => error instanceof Error && error.message.includes(name),
        `${name}: ${JSON.stringify(value)}`,
      );
    }
  }
});
