import { CLONE } from "../../kernel/flags.ts";
import { call, close, from, num } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";

const HINT = "it has ended";

/** Holds on to a container that runs by its first process, on the host: whoever is 1 in there. */
export function findContainer(pid: number): Step {
  return call(
    "pidfd_open",
    [num(pid), num(0)],
    { why: "find the container", hint: HINT },
    { result: "container" },
  );
}

/** Goes into the network namespace of the one that `findContainer` found. A socket stays in that it was opened in. */
export function enterNetwork(): Step[] {
  return [
    call("setns", [from("container"), num(CLONE.NEWNET, "CLONE_NEWNET")], {
      why: "enter the container's network",
      hint: HINT,
    }),
    close("container", "close it"),
  ];
}
