import type { RestartPolicy } from "../../wire/container.ts";
import { Failure } from "../failure.ts";

/** `no`, `always`, `unless-stopped`, `on-failure[:times]`. */
export function restartPolicy(text: string | undefined): RestartPolicy {
  const [name = "", times, ...more] = (text ?? "no").split(":");
  if (more.length > 0)
    throw new Failure("invalid restart policy format: maximum retry count must be an integer", 125);
  if (times !== undefined && !/^-?\d+$/.test(times))
    throw new Failure("invalid restart policy format: maximum retry count must be an integer", 125);
  switch (name) {
    case "":
    case "no":
    case "always":
    case "unless-stopped":
    case "on-failure":
      return { Name: name || "no", MaximumRetryCount: Number(times ?? 0) };
    default:
      // The engine knows the names and refuses with its own words, as Docker's does.
      return { Name: name as "no", MaximumRetryCount: Number(times ?? 0) };
  }
}
