import type { Linux, TimeOffset } from "../../oci/runtime/linux.ts";
import type { HostConfig } from "../../wire/container.ts";

/** Annotations that ask for a time namespace: seconds its clock is ahead of the host's, negative for behind. */
const ANNOTATIONS = { boottime: "cais.time.boottime", monotonic: "cais.time.monotonic" } as const;
type Clock = keyof typeof ANNOTATIONS;
const CLOCKS = Object.keys(ANNOTATIONS) as Clock[];

/** `-86400`, `1.5`: up to nanoseconds; the kernel takes no more than about 146 years (time_namespaces(7)). */
const SECONDS = /^([+-]?)(\d{1,10})(?:\.(\d{1,9}))?$/;

/** The offsets a container asks for; undefined without a time namespace. The words must have been validated. */
export function timeOffsetsOf(host: HostConfig): Linux["timeOffsets"] | undefined {
  const asked = CLOCKS.filter((clock) => host.Annotations?.[ANNOTATIONS[clock]] !== undefined);
  if (asked.length === 0) return undefined;
  return Object.fromEntries(asked.map((clock) => [clock, offset(host.Annotations![ANNOTATIONS[clock]]!)]));
}

/** The option as typed: `--time-offset boottime=86400,monotonic=5`. */
export function typedTimeOffsets(host: HostConfig): string {
  const words = CLOCKS.flatMap((clock) => {
    const text = host.Annotations?.[ANNOTATIONS[clock]];
    return text === undefined ? [] : [`${clock}=${text}`];
  });
  return `--time-offset ${words.join(",")}`;
}

/** Why an offset makes no sense. */
export function wrongTimeOffset(host: HostConfig): string | undefined {
  for (const clock of CLOCKS) {
    const text = host.Annotations?.[ANNOTATIONS[clock]];
    if (text === undefined || SECONDS.test(text)) continue;
    return `invalid time offset ${clock}=${text.slice(0, 40)}: it must be a number of seconds such as 86400 or -1.5`;
  }
  return undefined;
}

/** Nanoseconds count up from the seconds, so -1.5 is -2 seconds and 500000000 nanoseconds. */
function offset(text: string): TimeOffset {
  const [, sign, whole = "0", fraction = ""] = SECONDS.exec(text) ?? [];
  const nanosecs = Number(fraction.padEnd(9, "0"));
  const secs = Number(whole);
  if (sign !== "-") return { secs, nanosecs };
  return nanosecs === 0
    ? { secs: secs === 0 ? 0 : -secs, nanosecs: 0 }
    : { secs: -secs - 1, nanosecs: 1e9 - nanosecs };
}
