import { type Answer, ask } from "./ask.ts";
import { type Difference, differences } from "./differ.ts";
import { normal, normalAnswer, type Own } from "./normal.ts";
import type { Case, Known, Step } from "./table.ts";

/** One of the two engines. */
export interface Peer {
  readonly socket: string;
  readonly own: Own;
}

/** The same requests to both engines, in their order. @returns every difference between answers and events */
export async function compare(docker: Peer, cais: Peer, one: Case): Promise<Difference[]> {
  const [theirs, ours] = await Promise.all([play(docker, one), play(cais, one)]);
  const found = one.steps.flatMap((step, index) => {
    if (step.silent) return [];
    const at = `${index} ${step.request.method} ${step.request.path.slice(0, 100)}`;
    return stepDifferences(step, [docker.own, theirs.answers[index]!], [cais.own, ours.answers[index]!]).map(
      (difference) => ({ ...difference, path: `${at}: ${difference.path}` }),
    );
  });
  if (one.noEvents) return found;
  const events = differences(theirs.events, ours.events, one.freeEvents ?? [], "events");
  return [...found, ...events];
}

interface Played {
  readonly answers: readonly Answer[];
  readonly events: unknown;
}

let markers = 0;
/** Milliseconds: a container that ends is started again by then. */
const LATER = 1500;

async function play({ socket, own }: Peer, { steps, noEvents }: Case): Promise<Played> {
  const since = time();
  const known: Known = { begun: since };
  // What came before may still be told of: it is told before this.
  const marker = `marker-${++markers}`;
  await ask(socket, { method: "POST", path: "/volumes/create", body: { Name: marker } });
  await ask(socket, { method: "DELETE", path: `/volumes/${marker}` });
  const answers: Answer[] = [];
  for (const { request, keep } of steps) {
    const fill = (text: string): string =>
      text.replace(/\{(\w+)\}/g, (whole, name: string) => {
        // `/events?until={later}` waits for what happens by itself, from the first time that it is asked for.
        if (name === "later") known.later ??= time(LATER);
        return known[name] ?? whole;
      });
    const { path, body } = request;
    const filled = typeof body === "object" && !Buffer.isBuffer(body) ? fill(JSON.stringify(body)) : body;
    const answer = await ask(socket, { ...request, path: fill(path), body: filled });
    if (keep)
      known[keep[0]] = String((JSON.parse(answer.body.toString()) as Record<string, unknown>)[keep[1]]);
    answers.push(answer);
  }
  // What the last answer brought about is told some milliseconds after it.
  const { body } = await ask(socket, { method: "GET", path: `/events?since=${since}&until=${time(100)}` });
  if (noEvents) return { answers, events: null };
  const lines = body.toString().split("\n").filter(Boolean);
  const told = lines.map((line) => JSON.parse(line) as Told);
  const first = told.findLastIndex(({ Actor }) => Actor?.ID === marker) + 1;
  return { answers, events: ordered(told.slice(first).map((event) => normal(event, own) as Told)) };
}

interface Told {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string };
}

/** Docker tells of `stop` and `die` from two threads: their order is chance. The end comes first here. */
function ordered(events: Told[]): Told[] {
  for (let at = 1; at < events.length; at++) {
    const [first, second] = [events[at - 1]!, events[at]!];
    if (first.Action === "stop" && second.Action === "die") [events[at - 1], events[at]] = [second, first];
  }
  return events.flatMap((_, at) => sameKind(events, at).toSorted((a, b) => (text(a) < text(b) ? -1 : 1)));
}

/** Volume events of one kind from the first of them on: Docker walks a container's volumes in any order. */
function sameKind(events: readonly Told[], at: number): readonly Told[] {
  const first = events[at]!;
  const like = (other: Told | undefined) =>
    other?.Type === "volume" && other.Type === first.Type && other.Action === first.Action;
  if (like(events[at - 1])) return [];
  let end = at + 1;
  while (like(events[end])) end++;
  return events.slice(at, end);
}

const text = (event: Told) => JSON.stringify(event);

/** Seconds with nanoseconds, as `since` and `until` take them. */
const time = (later = 0): string => ((Date.now() + later) / 1000).toFixed(9);

/** Headers whose values both must have alike. */
const COMMON = ["Api-Version", "Docker-Experimental", "Ostype"];

function stepDifferences(
  step: Step,
  [dockerOwn, theirs]: [Own, Answer],
  [caisOwn, ours]: [Own, Answer],
): Difference[] {
  const [a, b] = [normalAnswer(theirs, dockerOwn), normalAnswer(ours, caisOwn)];
  const found = [
    ...differences(a.status, b.status, [], "status"),
    ...differences(a.type, b.type, [], "Content-Type"),
  ];
  for (const name of [...COMMON, ...(step.headers ?? [])]) {
    const read = (answer: Answer): unknown => {
      const key = name.replace("!", "");
      const value = answer.headers.get(key) ?? answer.headers.get(key.toLowerCase());
      return name.startsWith("!") ? value !== undefined : value;
    };
    // Docker's answers to paths that are not there lack them.
    if (read(theirs) !== undefined) found.push(...differences(read(theirs), read(ours), [], name));
  }
  if (step.bodyless) return found;
  const [body, own] = step.view ? [step.view(theirs), step.view(ours)] : [a.body, b.body];
  return [...found, ...differences(body, own, step.free ?? [], "")];
}
