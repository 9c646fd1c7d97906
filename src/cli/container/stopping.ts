import { int, text } from "../flags/flag.ts";

/** How a container is asked to stop, and for how long it is waited. */
export const stopFlags = {
  signal: text("Signal to stop it with", { short: "s" }),
  time: int("Seconds to wait before SIGKILL", { short: "t" }),
  timeout: int("The same as --time"),
};
