import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { FIELDS } from "../../src/container/spec/shape.ts";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";
import { PROBES } from "./hostconfig/probes.ts";
import { REFUSED, TOLD, WARNED } from "./hostconfig/samples.ts";
import { ask } from "./peer/ask.ts";

/** docs/hostconfig.md, the fields that are checked, and what containers are really like must agree. */
const DOCUMENT = resolve(import.meta.dirname, "../../docs/hostconfig.md");
/** What a field is called on the command line, where its tests use that. */
const OPTION: Readonly<Record<string, string>> = { VolumesFrom: "--volumes-from", Links: "links?" };
const STATES = ["works", "told", "warned", "refused"];
const IMAGE = "probe:1";
const options = needs(root(), busyboxMissing());

interface Row {
  readonly field: string;
  readonly state: string;
  readonly how: string;
}

function tables(): Record<"HostConfig" | "Config", Row[]> {
  const [, host = "", config = ""] = readFileSync(DOCUMENT, "utf8").split(/^## .*$/m);
  const rows = (text: string): Row[] =>
    [...text.matchAll(/^\| (\w+) \| (\w+) \| (.*?)\s*\|$/gm)]
      .map(([, field = "", state = "", how = ""]) => ({ field, state, how }))
      .filter(({ field }) => field !== "field");
  return { HostConfig: rows(host), Config: rows(config) };
}

let engine: TestEngine;
suiteEngine(options, IMAGE, (started) => {
  engine = started;
});

interface Made {
  readonly status: number;
  readonly Id: string;
  readonly Warnings?: readonly string[] | null;
  readonly message?: string;
}

async function create(config: object, host: object): Promise<Made> {
  const body = { Image: IMAGE, Cmd: ["true"], ...config, HostConfig: { NetworkMode: "none", ...host } };
  const answer = await ask(engine.socket, { method: "POST", path: "/containers/create", body });
  const { Id = "", ...made } = JSON.parse(answer.body.toString()) as Partial<Made>;
  return { Id, ...made, status: answer.status };
}

const at = async (method: string, path: string): Promise<{ status: number; body: Buffer }> =>
  ask(engine.socket, { method, path });

async function remove(id: string): Promise<void> {
  await at("DELETE", `/containers/${id}?force=1&v=1`);
}

for (const [kind, rows] of Object.entries(tables())) {
  test(`every field of ${kind} has its row, and no other has`, () => {
    const known: readonly string[] = FIELDS[kind as keyof typeof FIELDS];
    assert.deepEqual(rows.map(({ field }) => field).sort(), [...known].sort());
    for (const { field, state } of rows) assert.ok(STATES.includes(state), `${field}: ${state}`);
  });

  const sample = (field: string, value: unknown): [object, object] =>
    kind === "Config" ? [{ [field]: value }, {}] : [{}, { [field]: value }];

  for (const { field, state, how } of rows) {
    const elsewhere = /\]\((\.\.\/test\/[^)]*)\)/.exec(how)?.[1];
    if (state === "works" && elsewhere !== undefined) {
      test(`${kind}.${field} is tested where the row says`, () => {
        assert.match(
          readFileSync(resolve(DOCUMENT, "..", elsewhere), "utf8"),
          new RegExp(`${field}|${OPTION[field]}`),
        );
      });
    } else if (state === "works") {
      test(`${kind}.${field} works`, options, async () => {
        const probe = PROBES[field];
        assert.ok(probe, `no probe for ${field} in test/api/hostconfig/probes.ts`);
        await probe.check({
          socket: engine.socket,
          pid: engine.pid(),
          create,
          async output(config, host) {
            const { Id, message } = await create(config, host);
            assert.notEqual(Id, "", message ?? "");
            const started = await at("POST", `/containers/${Id}/start`);
            assert.equal(started.status, 204, started.body.toString());
            await at("POST", `/containers/${Id}/wait`);
            const { body: log } = await at("GET", `/containers/${Id}/logs?stdout=1&stderr=1`);
            await remove(Id);
            return plain(log);
          },
          remove,
        });
      });
    } else if (state === "told") {
      test(`${kind}.${field} is told as it was given`, options, async () => {
        assert.ok(field in TOLD, `no sample for ${field} in test/api/hostconfig/samples.ts`);
        const value = TOLD[field];
        const made = await create(...sample(field, value));
        assert.equal(made.status, 201, made.message ?? "");
        const { body } = await at("GET", `/containers/${made.Id}/json`);
        const all = JSON.parse(body.toString()) as Record<string, Record<string, unknown>>;
        assert.deepEqual(all[kind]?.[field], value);
        await remove(made.Id);
      });
    } else {
      test(`${kind}.${field} is ${state}`, options, async () => {
        const samples = (state === "refused" ? REFUSED : WARNED)[field] ?? [];
        assert.ok(samples.length > 0, `no sample for ${field} in test/api/hostconfig/samples.ts`);
        for (const value of samples) {
          const made = await create(...sample(field, value));
          if (state === "refused") {
            assert.ok([400, 404, 501].includes(made.status), `${field} is taken: ${JSON.stringify(made)}`);
            assert.ok((made.message ?? "").length > 10);
          } else {
            assert.equal(made.status, 201, made.message ?? "");
            assert.equal(made.Warnings?.length, 1);
            await remove(made.Id);
          }
        }
      });
    }
  }
}

test("values that some fields refuse", options, async () => {
  for (const [field, samples] of Object.entries(REFUSED)) {
    for (const value of samples) {
      const made = await create({}, { [field]: value });
      assert.ok(made.status >= 400, `${field}: ${JSON.stringify(value)} is taken`);
    }
  }
});

/** Output without the heads of its frames. */
function plain(log: Buffer): string {
  let text = "";
  // A terminal's has none.
  if ((log[0] ?? 9) > 2) return log.toString();
  for (let at = 0; at + 8 <= log.length; ) {
    const length = log.readUInt32BE(at + 4);
    text += log.toString("utf8", at + 8, at + 8 + length);
    at += 8 + length;
  }
  return text;
}
