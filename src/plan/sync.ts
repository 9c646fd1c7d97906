import { call, from, mem, num, space } from "./build.ts";
import { MESSAGE } from "./records.ts";
import { type Arg, type Call, SYNC, SYNC_PARENT } from "./step.ts";

/** What a launch program and its child say to each other when nothing has to be handed over: a message without content. */

const WORD: readonly Arg[] = [
  mem(space(MESSAGE.size, "word"), "go"),
  num(MESSAGE.size),
  num(0),
  num(0),
  num(0),
];

/** In the launch program: let the child go on. */
export const tellChild = (why: string): Call => call("sendto", [from(SYNC_PARENT), ...WORD], why);

/** In the child: wait for that. */
export const awaitWord = (why: string): Call => call("recvfrom", [from(SYNC), ...WORD], why);
