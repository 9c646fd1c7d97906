import type { Word } from "../../kernel/netlink/message.ts";
import type { Netlink } from "../step.ts";
import { quote } from "./shell.ts";
import { run, type State, say } from "./state.ts";

/** A command with its words quoted; a slot is the script's variable of that name. */
export function shellWords(words: readonly Word[]): string {
  return words.map((word) => (typeof word === "string" ? quote(word) : `"$${word.slot}"`)).join(" ");
}

/** ip(8) for each request of rtnetlink, conntrack(8) for each of that; nft(8) takes a batch as one file, all or nothing, as the kernel does. */
export function netlink(state: State, { messages, protocol }: Netlink): void {
  if (protocol !== "netfilter") {
    for (const message of messages) {
      state.reason = message;
      run(state, shellWords(message.request.words));
    }
    return;
  }
  const [first] = messages;
  if (first === undefined) return;
  state.reason = first;
  const lines = messages.map(({ request }) => String(request.words[1]));
  say(state, `${state.prefix}nft ${quote(lines.join("\n"))}`);
}
