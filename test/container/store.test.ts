import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { newContainerId } from "../../src/container/id.ts";
import type { ContainerRecord } from "../../src/container/record.ts";
import { createStore } from "../../src/container/store.ts";

// Documents that are written a little later, and what waits for them. Safe beside other test files.

const directory = mkdtempSync(join(tmpdir(), "cais-store-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const recordOf = (name: string): ContainerRecord =>
  ({ format: 1, id: newContainerId(), name, state: { status: "created" } }) as ContainerRecord;

/** The document that counts, by its status. */
const statusOf = ({ id }: ContainerRecord): string => {
  const [document] = readdirSync(join(directory, id));
  return (JSON.parse(readFileSync(join(directory, id, document ?? ""), "utf8")) as ContainerRecord).state
    .status;
};

test("what waits for a document waits for the last one that is asked for", async () => {
  const store = createStore(directory);
  const record = recordOf("twice");
  store.save(record);
  const said: string[] = [];
  record.state.status = "running";
  store.saveSoon(record, () => said.push(`first: ${statusOf(record)}`));
  record.state.status = "exited";
  const saved = new Promise<void>((resolve) => {
    store.saveSoon(record, () => {
      said.push(`second: ${statusOf(record)}`);
      resolve();
    });
  });
  assert.deepEqual(said, []);
  assert.equal(statusOf(record), "created");
  await saved;
  assert.deepEqual(said, ["first: exited", "second: exited"]);
});

test("of a container that is removed nothing is written, and what waits goes on when it is gone", () => {
  const store = createStore(directory);
  const record = recordOf("removed");
  store.save(record);
  const there: boolean[] = [];
  store.saveSoon(record, () => there.push(readdirSync(directory).includes(record.id)));
  store.remove(record.id);
  assert.deepEqual(there, [false]);
  assert.ok(!readdirSync(directory).includes(record.id));
});

test("what is settled is written at once, once", () => {
  const store = createStore(directory);
  const record = recordOf("settled");
  store.save(record);
  let saved = 0;
  record.state.status = "exited";
  store.saveSoon(record, () => saved++);
  store.settle(record);
  assert.deepEqual([saved, statusOf(record)], [1, "exited"]);
  store.settle(record);
  assert.equal(saved, 1);
});
