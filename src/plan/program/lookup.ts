import { ERRNO } from "../../kernel/errno.ts";
import type { Lookup } from "../step.ts";
import { at, imm, type Writer } from "./writer.ts";

/** `X_OK` (access(2)). */
const EXECUTABLE = 1;

/** Try the candidates in order, as `execvp` would; goes to `failed` with the error that it would give. */
export function lowerLookup(writer: Writer, step: Lookup, failed: string): void {
  const found = writer.fresh("found");
  writer.set("lookup-error", imm(-ERRNO.ENOENT));
  for (const candidate of step.candidates) {
    const next = writer.fresh("lookup-next");
    writer.syscall("faccessat", imm(-100), at({ kind: "text", text: candidate }), imm(EXECUTABLE));
    writer.if("acc", "eq", imm(0), found);
    writer.if("acc", "eq", imm(-ERRNO.ENOENT), next);
    writer.if("acc", "eq", imm(-ERRNO.ENOTDIR), next);
    writer.set("lookup-error", "acc");
    writer.label(next);
  }
  writer.recall("lookup-error");
  writer.jump(failed);
  writer.label(found);
}
