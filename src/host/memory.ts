/** Milliseconds without work after which there is time to clean up. */
const QUIET = 5000;

let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * To be called when work was done that leaves garbage behind (a plan is built for each start): once nothing more
 * has come for a while, memory is collected and given back. Costs nothing while there is work.
 */
export function collectWhenQuiet(): void {
  if (timer) {
    timer.refresh();
    return;
  }
  timer = setTimeout(() => {
    timer = undefined;
    Bun.gc(true);
  }, QUIET);
  timer.unref();
}
