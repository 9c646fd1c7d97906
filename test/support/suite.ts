import { after, before } from "node:test";
import { startEngine, type TestEngine } from "./engine.ts";
import { busyboxTar } from "./fixtures.ts";

/**
 * One engine for all tests of the file that calls this, with a busybox image of the name `image`; none where they are
 * skipped.
 */
export function suiteEngine(
  { skip }: { readonly skip?: string },
  image: string,
  started: (engine: TestEngine) => void,
): void {
  let engine: TestEngine | undefined;
  before(async () => {
    if (skip !== undefined) return;
    engine = await startEngine();
    started(engine);
    await engine.ok(["import", busyboxTar(), image]);
  });
  after(() => engine?.[Symbol.asyncDispose]());
}
