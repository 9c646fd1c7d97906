/**
 * Answers that were given before, for those who ask the same again: clients ask for one name many times a second.
 * What is kept is the whole message, so that the next answer is its bytes with another id. Everything is forgotten
 * when any name changes; so nothing is kept of what other servers said, which can change without our hearing of it.
 */
export interface AnswerMemory {
  /** The answer with the id of `message`; the next call may write over it. */
  recall(asker: string, message: Buffer): Buffer | undefined;
  keep(asker: string, message: Buffer, answer: Buffer): void;
}

/** Longer questions are seldom asked twice. */
const MAX_MESSAGE = 300;
/** Some hundred bytes each; a client that never asks the same (a new cookie each time) fills no more than this. */
const MAX_ANSWERS = 4096;

/** Remembers nothing yet. @param version another number each time that any name has changed */
export function createMemory(version: () => number): AnswerMemory {
  const byAsker = new Map<string, Map<string, Buffer>>();
  let kept = 0;
  let of = version();
  const forget = (): void => {
    byAsker.clear();
    kept = 0;
  };
  return {
    recall(asker, message) {
      if (of !== version()) {
        forget();
        of = version();
      }
      const answer = byAsker.get(asker)?.get(keyOf(message));
      if (answer) {
        answer[0] = message[0]!;
        answer[1] = message[1]!;
      }
      return answer;
    },
    keep(asker, message, answer) {
      if (message.length > MAX_MESSAGE) return;
      if (kept >= MAX_ANSWERS) forget();
      const answers = byAsker.get(asker) ?? new Map<string, Buffer>();
      byAsker.set(asker, answers.set(keyOf(message), answer));
      kept++;
    },
  };
}

/** Everything behind the id: flags, question in the client's own letters, EDNS options. */
const keyOf = (message: Buffer): string => message.toString("latin1", 2);
