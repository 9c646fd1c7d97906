import type { Reason } from "../../plan/step.ts";

/** A reason with the option behind a part of the runtime configuration, if a person gave one. */
export type Because = (field: string, why: string, hint?: string) => Reason;

/** Look options up in `origins` (configuration path → option as typed). */
export function reasonsFrom(origins: ReadonlyMap<string, string>): Because {
  return (field, why, hint) => {
    const option = origins.get(field);
    return {
      why,
      ...(option === undefined ? {} : { option }),
      ...(hint === undefined ? {} : { hint }),
    };
  };
}
