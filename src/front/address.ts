import { SOCKET } from "../kernel/flags.ts";
import { at, imm, slot, type Writer } from "../plan/program/writer.ts";
import type { Data, Slot } from "../plan/step.ts";
import { DEFAULT_RUN, HOST_VARIABLES, socketIn } from "../wire/front.ts";
import { VARIABLES } from "./stack.ts";
import { appendText, ifBegins } from "./text.ts";

/** struct sockaddr_un (unix(7)): the family, then the path. */
export const ADDRESS: Data = { kind: "space", size: 112, name: "address" };
export const ADDRESS_LENGTH = 110;
const SUN_PATH = 108;
/** Where the engine listens when nobody says otherwise. */
const DEFAULT: Data = { kind: "text", text: socketIn(DEFAULT_RUN) };

const HOSTS = HOST_VARIABLES.map((name) => `${name}=`);
/** With one of these somebody wants the runtime: people who compare the two, and Bun itself. */
const DIRECT = ["CAIS_DIRECT=", "BUN_BE_BUN="];

const chosen = (index: number): Slot => `host-${index}`;

/** Work out which socket the engine has; go to `elsewhere` when it is none. */
export function findAddress(writer: Writer, elsewhere: string): void {
  readVariables(writer, elsewhere);
  const copy = writer.fresh("address-copy");
  writer.set("path", at(DEFAULT));
  for (const index of HOSTS.keys()) {
    const next = writer.fresh("address-next");
    const unix = writer.fresh("address-unix");
    writer.if(slot(chosen(index)), "eq", imm(-1), next);
    writer.set("path", slot(chosen(index)));
    ifBegins(writer, "path", "unix:///", unix);
    writer.jump(elsewhere);
    writer.label(unix);
    writer.add("path", imm("unix://".length));
    writer.jump(copy);
    writer.label(next);
  }
  writer.label(copy);
  writer.store(at(ADDRESS), 0, 2, imm(SOCKET.AF_UNIX));
  writer.set("into", at(ADDRESS, 2));
  appendText(writer, "path", "into", at(ADDRESS, 2 + SUN_PATH - 1), elsewhere);
}

/** Notes where the values of `HOSTS` are; an empty one counts as none. */
function readVariables(writer: Writer, elsewhere: string): void {
  const loop = writer.fresh("variable");
  const next = writer.fresh("variable-next");
  const end = writer.fresh("variables-end");
  writer.set("variable", slot(VARIABLES));
  writer.label(loop);
  writer.load("text", slot("variable"), 0, 8);
  writer.if(slot("text"), "eq", imm(0), end);
  for (const name of DIRECT) ifBegins(writer, "text", name, elsewhere);
  for (const [index, name] of HOSTS.entries()) {
    const mine = writer.fresh("variable-mine");
    const other = writer.fresh("variable-other");
    ifBegins(writer, "text", name, mine);
    writer.jump(other);
    writer.label(mine);
    writer.load("byte", slot("text"), name.length, 1);
    writer.if(slot("byte"), "eq", imm(0), next);
    writer.set(chosen(index), slot("text", name.length));
    writer.label(other);
  }
  writer.label(next);
  writer.add("variable", imm(8));
  writer.jump(loop);
  writer.label(end);
}
