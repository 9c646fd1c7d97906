import { call, num } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";

/** linux/keyctl.h */
const KEYCTL_JOIN_SESSION_KEYRING = 1;

/**
 * A session keyring of its own for what the program makes from here on: whoever has the caller's possesses the
 * caller's keys, whatever its users are (session-keyring(7)). It has no name: by a name other containers could join it.
 */
export function ownKeyring(): Step[] {
  const how = num(KEYCTL_JOIN_SESSION_KEYRING, "KEYCTL_JOIN_SESSION_KEYRING");
  return [
    call(
      "keyctl",
      [how, num(0)],
      {
        why: "give it a session keyring of its own",
        hint: "the user has as many keys as /proc/sys/kernel/keys allows",
      },
      // A kernel without keys has none to keep.
      { tolerate: ["ENOSYS"] },
    ),
  ];
}
