import { fs } from "../host/builtin.ts";
import { caller } from "./caller/caller.ts";

/** The files of whoever typed the command. @throws Elsewhere where those are another process's */
export function files(): typeof import("node:fs") {
  caller().own();
  return fs();
}
