import * as fs from "node:fs";
import { createImages } from "../../src/image/open.ts";
import { runPlan } from "../../src/plan/run.ts";
import { streamOf, treeOf } from "./scratch.ts";

/** `importer.ts ROOT TAR FRACTION|full`: imports, and stops after a part of the archive to be killed. */
const [root = "", tar = "", how = ""] = process.argv.slice(2);
const images = await createImages({ root, runPlan });
const bytes = fs.readFileSync(tar);

async function* upTo(count: number): AsyncGenerator<Uint8Array> {
  yield* streamOf(bytes.subarray(0, count), 65536);
  console.log("waiting");
  // Until somebody kills this process: a timer keeps it alive.
  await new Promise((done) => setTimeout(done, 60_000));
}

if (how === "full") {
  const before = treeOf(root);
  const error = await images.import(streamOf(bytes, 65536), { repo: "new" }).then(
    () => "no error",
    (reason: Error) => reason.message,
  );
  console.log(JSON.stringify({ error, before, after: treeOf(root) }));
} else {
  await images.import(upTo(Math.floor(bytes.length * Number(how))), { repo: "new" });
}
