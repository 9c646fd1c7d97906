import { AT, CLONE, O } from "../../kernel/flags.ts";
import { deleteLink } from "../../kernel/netlink/route/link.ts";
import { call, close, from, num, str } from "../../plan/build.ts";
import type { Plan } from "../../plan/step.ts";
import { openNetlink, sendBatch } from "./socket.ts";

const SOCKET = "inside";

/**
 * Removes interfaces of a network namespace in which nobody may be any more; those that are not there are fine.
 * @param namespace a path that leads to it
 */
export function removeInsidePlan(namespace: string, names: readonly string[]): Plan {
  const why = "remove the interfaces of a container that has ended";
  return Object.freeze({
    steps: [
      call(
        "openat",
        [num(AT.FDCWD, "AT_FDCWD"), str(namespace), num(O.RDONLY | O.CLOEXEC, "O_RDONLY|O_CLOEXEC"), num(0)],
        why,
        { result: "namespace" },
      ),
      call("setns", [from("namespace"), num(CLONE.NEWNET, "CLONE_NEWNET")], why),
      close("namespace", "close it"),
      openNetlink("route", SOCKET, why),
      sendBatch(
        SOCKET,
        names.map((name) => ({ kind: "message", request: deleteLink(name), why, tolerate: ["ENODEV"] })),
      ),
    ],
  });
}
