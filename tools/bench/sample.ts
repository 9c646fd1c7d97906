import { setTimeout } from "node:timers/promises";

const SETTLE_MS = 50;

/** Something that is measured beside others: `once` does it once and returns what is counted (milliseconds). */
export interface Contender {
  readonly name: string;
  readonly once: (run: number) => Promise<number> | number;
}

/** Times what `work` does, in milliseconds. */
export async function milliseconds(work: () => Promise<unknown> | unknown): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/**
 * The median of each contender over `runs` rounds. In each round every contender has one turn, so that what
 * else the machine does falls on all of them; the first rounds are not counted.
 */
export async function medians(contenders: readonly Contender[], runs: number): Promise<Map<string, number>> {
  const WARM_UP = 10;
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let run = 0; run < runs + WARM_UP; run++) {
    for (const { name, once } of contenders) {
      // The kernel clears up after a container for a while: nobody is to pay for who came before.
      await setTimeout(SETTLE_MS);
      const value = await once(run);
      if (run >= WARM_UP) samples.get(name)?.push(value);
    }
  }
  return new Map([...samples].map(([name, values]) => [name, median(values)]));
}

/**
 * The median of each of these over some rounds, for what is too long for many of them and needs no warming up.
 * In each round every one has its turn.
 */
export async function rounds<Who extends { readonly name: string }>(
  all: readonly Who[],
  count: number,
  once: (who: Who, round: number) => Promise<number>,
): Promise<Map<string, number>> {
  const samples = new Map<string, number[]>(all.map(({ name }) => [name, []]));
  for (let round = 0; round < count; round++)
    for (const each of all) samples.get(each.name)?.push(await once(each, round));
  return new Map([...samples].map(([name, values]) => [name, median(values)]));
}

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}
