import { AT, O } from "../../kernel/flags.ts";
import { call, close, from, num, str } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";

/**
 * A launch program is executed once. Its processes are seen in a container, where `/proc/self/exe` leads to it: it
 * takes its own mode away before anybody else runs, since root, too, executes only what may be executed. Whoever
 * started it would come too late (CVE-2019-5736 is what can be done with a runtime that a container executes).
 */
export function spendProgram(): Step[] {
  const why = "let nobody execute this program again";
  return [
    call(
      "openat",
      [num(AT.FDCWD, "AT_FDCWD"), str("/proc/self/exe"), num(O.CLOEXEC, "O_RDONLY|O_CLOEXEC"), num(0)],
      why,
      { result: "program" },
    ),
    call("fchmod", [from("program"), num(0)], why),
    close("program", "close it"),
  ];
}
