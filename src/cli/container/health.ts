import type { Healthcheck } from "../../wire/container.ts";
import { Failure } from "../failure.ts";
import type { Values } from "../flags/flag.ts";
import type { containerFlags } from "./flags.ts";

/** `--health-*` and `--no-healthcheck`; undefined leaves the image's check as it is. */
export function health(options: Values<typeof containerFlags>): Healthcheck | undefined {
  const check: Healthcheck = {
    ...(options["health-cmd"] !== undefined && { Test: ["CMD-SHELL", options["health-cmd"]] }),
    ...(options["health-interval"] !== undefined && { Interval: options["health-interval"] }),
    ...(options["health-timeout"] !== undefined && { Timeout: options["health-timeout"] }),
    ...(options["health-start-period"] !== undefined && { StartPeriod: options["health-start-period"] }),
    ...(options["health-start-interval"] !== undefined && {
      StartInterval: options["health-start-interval"],
    }),
    ...(options["health-retries"] !== undefined && { Retries: options["health-retries"] }),
  };
  const said = Object.keys(check).length > 0;
  if (!options["no-healthcheck"]) {
    for (const [name, value] of Object.entries(check))
      if (typeof value === "number" && value < 0)
        throw new Failure(`--health-${kebab(name)} cannot be negative`, 125);
    return said ? check : undefined;
  }
  if (said) throw new Failure("--no-healthcheck conflicts with --health-* options", 125);
  return { Test: ["NONE"] };
}

function kebab(name: string): string {
  return name.replace(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}
