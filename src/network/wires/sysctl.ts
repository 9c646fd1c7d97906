import { AT, O } from "../../kernel/flags.ts";
import { call, close, from, mem, num, str } from "../../plan/build.ts";
import type { Reason, Step } from "../../plan/step.ts";

/**
 * Write a kernel setting, `net.ipv4.ip_forward`, of the network namespace that the program is in. One that this
 * kernel has not (no IPv6) can be absent.
 */
export function writeSysctl(name: string, value: string, reason: Reason, mayBeAbsent = true): Step {
  const path = `/proc/sys/${name.includes("/") ? name : name.replaceAll(".", "/")}`;
  const bytes = new TextEncoder().encode(value);
  const tolerate = mayBeAbsent ? (["ENOENT"] as const) : [];
  return {
    kind: "attempt",
    tolerate,
    ...reason,
    steps: [
      call(
        "openat",
        [num(AT.FDCWD, "AT_FDCWD"), str(path), num(O.WRONLY | O.CLOEXEC, "O_WRONLY|O_CLOEXEC"), num(0)],
        reason,
        { result: "file" },
      ),
      call("write", [from("file"), mem({ kind: "text", text: value }), num(bytes.length)], reason),
      close("file", "close it"),
    ],
  };
}
