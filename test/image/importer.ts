import * as fs from "node:fs";
import { createImages } from "../../src/image/open.ts";
import { runPlan } from "../../src/plan/run.ts";
import { streamOf, treeOf } from "./scratch.ts";

/** A program of its own, to be killed: `importer.ts ROOT TAR FRACTION|full`. */
export const IMPORTER = import.meta.filename;

/** Imports, and stops after a part of the archive; or imports into too small a place and says what it saw. */
async function importAndStop(root: string, tar: string, how: string): Promise<void> {
  const images = await createImages({ root, runPlan });
  const bytes = fs.readFileSync(tar);
  async function* upTo(count: number): AsyncGenerator<Uint8Array> {
    yield* streamOf(bytes.subarray(0, count), 65536);
    console.log("waiting");
    // Until somebody kills this process: a timer keeps it alive.
    await new Promise((done) => setTimeout(done, 60_000));
  }
  if (how !== "full") {
    await images.import(upTo(Math.floor(bytes.length * Number(how))), { repo: "new" });
    return;
  }
  const before = treeOf(root);
  const error = await images.import(streamOf(bytes, 65536), { repo: "new" }).then(
    () => "no error",
    (reason: Error) => reason.message,
  );
  console.log(JSON.stringify({ error, before, after: treeOf(root) }));
}

if (import.meta.main) {
  const [root = "", tar = "", how = ""] = process.argv.slice(2);
  await importAndStop(root, tar, how);
}
