import { signalNumber } from "../../kernel/signals.ts";
import type { ContainerConfig, Healthcheck } from "../../wire/container.ts";

/** `gethostname(2)`: the kernel takes no longer names. */
const LONGEST_HOSTNAME = 64;

/** What is wrong with the container's own part of the configuration, in Docker's words. */
export function wrongConfig(config: ContainerConfig): string | undefined {
  const {
    WorkingDir: cwd,
    Env: env,
    StopSignal: signal,
    Hostname: hostname,
    Domainname: domainname,
  } = config;
  if (cwd && !cwd.startsWith("/")) {
    return `the working directory '${cwd.slice(0, 200)}' is invalid, it needs to be an absolute path`;
  }
  const variable = env?.find((word) => word === "" || word.startsWith("="));
  if (variable !== undefined) return `invalid environment variable: ${variable.slice(0, 80)}`;
  if (signal && signalNumber(signal) === undefined) return `invalid signal: ${signal.slice(0, 40)}`;
  for (const [what, name] of Object.entries({ hostname, "domain name": domainname })) {
    if (name && Buffer.byteLength(name) > LONGEST_HOSTNAME) {
      return `invalid ${what} "${name.slice(0, 80)}": it is longer than the ${LONGEST_HOSTNAME} bytes the kernel takes`;
    }
  }
  const strings = [
    ...(config.Entrypoint ?? []),
    ...(config.Cmd ?? []),
    ...(env ?? []),
    cwd,
    hostname,
    domainname,
  ];
  if (strings.some((word) => word?.includes("\0"))) {
    return "invalid configuration: a NUL byte cannot be part of an argument, variable, path or name";
  }
  return config.Healthcheck ? wrongHealthcheck(config.Healthcheck) : undefined;
}

const MILLISECOND = 1e6;

function wrongHealthcheck(check: Healthcheck): string | undefined {
  for (const name of ["Interval", "Timeout", "StartPeriod", "StartInterval"] as const) {
    const value = check[name] ?? 0;
    if (value !== 0 && value < MILLISECOND) return `${name} in Healthcheck cannot be less than 1ms`;
  }
  return (check.Retries ?? 0) < 0 ? "Retries in Healthcheck cannot be negative" : undefined;
}
