import { giveBackFiles } from "./mapped.ts";

/** Milliseconds without work after which there is time to clean up. */
const QUIET = 5000;
/** And those until the second time: only then compiled code that nobody runs any more goes, too. */
const QUIETER = 3000;

/** Work of as many times lets go of the program's pages that it does not need, though there is no quiet time. */
const MUCH = 4000;

let timer: ReturnType<typeof setTimeout> | undefined;
let work = 0;

/**
 * To be called when work was done, for work leaves garbage and compiled code behind: once nothing more has come for
 * a while, memory is collected and given back. Costs next to nothing while there is work.
 */
export function collectWhenQuiet(): void {
  work++;
  if (work === MUCH) {
    work = 0;
    setImmediate(giveBackFiles);
  }
  if (timer) {
    timer.refresh();
    return;
  }
  after(QUIET, () => {
    Bun.gc(true);
    after(QUIETER, () => {
      Bun.gc(true);
      giveBackFiles();
    });
  });
}

function after(milliseconds: number, call: () => void): void {
  timer = setTimeout(() => {
    timer = undefined;
    call();
  }, milliseconds);
  timer.unref();
}
