import { existsSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { startEngine, type TestEngine } from "../../test/support/engine.ts";
import { busyboxTar } from "../../test/support/fixtures.ts";
import { ROOT } from "../check/sources.ts";
import { docker } from "./api.ts";
import { IMAGE, memoryDirectory, preparePeers } from "./peers.ts";
import type { CaisUnderTest, Line, Row } from "./row.ts";
import { api, cycle } from "./rows/api.ts";
import { crowd } from "./rows/crowd.ts";
import { dockerApi } from "./rows/docker-api/row.ts";
import { exec } from "./rows/exec.ts";
import { many } from "./rows/many.ts";
import { net } from "./rows/net/rows.ts";
import { run } from "./rows/run.ts";
import { runtime } from "./rows/runtime.ts";
import { table } from "./table.ts";

/**
 * `npm run bench [-- quick] [ROW…]`: everything in one run on one machine, each line with its peers beside it.
 * It measures `dist/cais` (`npm run build`).
 */
const ROWS: readonly Row[] = [run, api, dockerApi, exec, many, crowd, ...net, runtime];
const words = process.argv.slice(2);
const quick = words.includes("quick");
const wanted = words.filter((word) => word !== "quick");
/** `net` is all of `net-run`, `net-dns`, … */
const means = (word: string, { name }: Row): boolean => name === word || name.startsWith(`${word}-`);
const unknown = wanted.filter((word) => !ROWS.some((row) => means(word, row)));
if (unknown.length > 0) {
  console.error(`No row ${unknown.join(", ")}: there are ${ROWS.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

await using peers = await preparePeers();
await using engine = await startBuilt();
const cais: CaisUnderTest | undefined = engine && {
  program: join(ROOT, "dist/cais"),
  env: engine.env,
  api: docker(engine.socket),
  pid: engine.pid,
};

const lines: Line[] = [];
for (const row of ROWS.filter((row) => wanted.length === 0 || wanted.some((word) => means(word, row)))) {
  const measured = await row.measure({ cais, peers, runs: quick ? 5 : 25, quick });
  // A long run that is cut short has shown what it had.
  console.error(table(measured));
  lines.push(...measured);
}
console.log(`${cpus().length} × ${cpus()[0]?.model ?? "processor"}, Linux ${release()}`);
console.log(`${peers.versions.join("\n")}\n\n${table(lines)}`);

async function startBuilt(): Promise<TestEngine | undefined> {
  const program = join(ROOT, "dist/cais");
  if (!existsSync(program)) {
    console.error("dist/cais is not there (npm run build makes it): its column is dashes");
    return undefined;
  }
  const started = await startEngine([], program, memoryDirectory());
  await started.ok(["import", busyboxTar(), IMAGE]);
  // As an engine is that has been at work: JavaScript is compiled when it has run a while.
  const engine = docker(started.socket);
  for (let each = 0; each < 300; each++) await cycle(engine);
  return started;
}
