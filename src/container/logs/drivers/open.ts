import type { LogOptions } from "../options.ts";
import type { DriverFacts, LogDriver } from "./driver.ts";
import { openJournald } from "./journald.ts";
import { openSyslog } from "./syslog.ts";

/**
 * The driver that takes messages away; null where the file is all there is.
 * @throws when its receiver is not there: the container is not started then
 */
export async function openDriver(options: LogOptions, facts: DriverFacts): Promise<LogDriver | null> {
  if (options.driver === "journald") return openJournald(facts);
  return options.syslog ? await openSyslog(options.syslog, facts) : null;
}
