import { AT, O } from "../../kernel/flags.ts";
import { call, close, from, mem, num, str } from "../../plan/build.ts";
import type { Reason, Step } from "../../plan/step.ts";

/**
 * Write a kernel setting, `net.ipv4.ip_forward`, of the network namespace that the program is in. A kernel
 * without IPv6 has none of its settings.
 */
export function writeSysctl(name: string, value: string, reason: Reason): Step {
  const path = `/proc/sys/${name.includes("/") ? name : name.replaceAll(".", "/")}`;
  const bytes = new TextEncoder().encode(value);
  const tolerate = /^net.ipv6/.test(name) ? (["ENOENT"] as const) : [];
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

/** The name of an interface's setting: with slashes where the interface has a dot in its name (sysctl(8)). */
export function linkSetting(family: "ipv4" | "ipv6", link: string, setting: string): string {
  return ["net", family, "conf", link, setting].join(link.includes(".") ? "/" : ".");
}
