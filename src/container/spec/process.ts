import { rlimitName } from "../../kernel/rlimits.ts";
import type { Process, Rlimit } from "../../oci/runtime/spec.ts";
import type { ContainerConfig, HostConfig } from "../../wire/container.ts";
import { boundingSet, capabilitySets } from "./capabilities.ts";
import type { SpecFacts } from "./facts.ts";
import { cleanPath } from "./mountpoint.ts";
import { type Origins, typedWord } from "./origins.ts";
import { parseSecurityOptions } from "./security.ts";

export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What runs, as whom and with which rights. The configuration must be merged with the image's. */
export function processOf(
  config: ContainerConfig,
  host: HostConfig,
  facts: SpecFacts,
  origins: Origins,
): Process {
  const terminal = config.Tty ?? false;
  const security = parseSecurityOptions(host.SecurityOpt);
  const noNewPrivileges = typeof security !== "string" && security.noNewPrivileges;
  const apparmorProfile = typeof security === "string" ? undefined : security.apparmor;
  if (apparmorProfile)
    origins.add("process.apparmorProfile", `--security-opt apparmor=${typedWord(apparmorProfile)}`);
  const { uid, gid, additionalGids, home } = facts.user;
  noteOrigins(config, host, origins, noNewPrivileges);
  const [height = 0, width = 0] = host.ConsoleSize ?? [];
  const rlimits = rlimitsOf(host, origins);
  return {
    ...(terminal ? { terminal } : {}),
    ...(terminal && height > 0 && width > 0 ? { consoleSize: { height, width } } : {}),
    user: { uid, gid, additionalGids },
    args: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    env: environment(config.Env ?? [], { hostname: facts.hostname, terminal, home }),
    cwd: cleanPath(config.WorkingDir || "/"),
    capabilities: capabilitySets(boundingSet(host, facts.capabilities)),
    ...(rlimits.length > 0 ? { rlimits } : {}),
    ...(noNewPrivileges ? { noNewPrivileges } : {}),
    ...(apparmorProfile ? { apparmorProfile } : {}),
    // Zero as well: the engine's own must not be inherited.
    oomScoreAdj: host.OomScoreAdj ?? 0,
  };
}

/**
 * The environment: what every container has, with `words` over it; a word without `=` takes the variable out. `HOME`
 * comes last, from the user's entry in `/etc/passwd`, unless it is set; empty is as if it were not, as runc has it.
 */
export function environment(
  words: readonly string[],
  {
    hostname,
    terminal,
    home,
  }: { readonly hostname: string; readonly terminal: boolean; readonly home: string },
): readonly string[] {
  const variables = new Map([
    ["PATH", DEFAULT_PATH],
    ["HOSTNAME", hostname],
    ...(terminal ? [["TERM", "xterm"] as const] : []),
  ]);
  for (const word of words) {
    const equals = word.indexOf("=");
    if (equals < 0) variables.delete(word);
    else variables.set(word.slice(0, equals), word.slice(equals + 1));
  }
  if (!variables.get("HOME")) variables.set("HOME", home);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

function rlimitsOf(host: HostConfig, origins: Origins): readonly Rlimit[] {
  return (host.Ulimits ?? []).map(({ Name: name = "", Soft: soft = 0, Hard: hard = 0 }, index) => {
    const value = soft === hard ? `${soft}` : `${soft}:${hard}`;
    origins.add(`process.rlimits[${index}]`, `--ulimit ${typedWord(`${name}=${value}`)}`);
    const unsigned = (number: number) => (number < 0 ? 2 ** 64 : number);
    return { type: rlimitName(name) ?? name, soft: unsigned(soft), hard: unsigned(hard) };
  });
}

function noteOrigins(
  config: ContainerConfig,
  host: HostConfig,
  origins: Origins,
  noNewPrivileges: boolean,
): void {
  const words = (option: string, list: readonly string[] | null | undefined) =>
    (list ?? []).map((word) => `${option} ${typedWord(word)}`);
  const note = (part: string, options: readonly string[]) => {
    if (options.length > 0) origins.add(part, options.join(" "));
  };
  const capabilities = host.Privileged
    ? ["--privileged"]
    : [...words("--cap-add", host.CapAdd), ...words("--cap-drop", host.CapDrop)];
  note("process.capabilities", capabilities);
  if (config.User) note("process.user", words("-u", [config.User]));
  note("process.user.additionalGids", words("--group-add", host.GroupAdd));
  if (config.WorkingDir) note("process.cwd", words("-w", [config.WorkingDir]));
  if (config.Tty) note("process.terminal", ["-t"]);
  if (noNewPrivileges) note("process.noNewPrivileges", ["--security-opt no-new-privileges"]);
  if (host.OomScoreAdj) note("process.oomScoreAdj", [`--oom-score-adj ${host.OomScoreAdj}`]);
  note("process.env", words("-e", config.Env));
}
