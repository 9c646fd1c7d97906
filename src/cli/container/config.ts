import type { ContainerConfig, ContainerCreateRequest, HostConfig } from "../../wire/container.ts";
import { Failure } from "../failure.ts";
import type { Values } from "../flags/flag.ts";
import { clocks } from "./clocks.ts";
import { environment, labels, pairs } from "./environment.ts";
import type { containerFlags } from "./flags.ts";
import { health } from "./health.ts";
import { networks } from "./network.ts";
import { type Ports, parsePorts } from "./ports.ts";
import { resources, said } from "./resources.ts";
import { restartPolicy } from "./restart.ts";
import { capabilities, security } from "./security.ts";
import { volumes } from "./volume.ts";

export type ContainerOptions = Values<typeof containerFlags>;

/** What the command line beyond the options adds. */
export interface Invocation {
  readonly image: string;
  readonly command: readonly string[];
  readonly detach: boolean;
  /** More annotations: `cais.trace`. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Height and width of the terminal. */
  readonly consoleSize?: readonly [number, number];
}

/**
 * The body of `containers/create` for a command line.
 * @throws Failure 125 for what the engine cannot be asked
 */
export function createRequest(options: ContainerOptions, it: Invocation): ContainerCreateRequest {
  if (options.rm && options.restart !== undefined && restartPolicy(options.restart).Name !== "no")
    throw new Failure("conflicting options: cannot specify both --restart and --rm", 125);
  const ports = guard(() => parsePorts(options.publish, options.expose));
  const network = networks(options);
  return {
    ...config(options, it, ports),
    HostConfig: hostConfig(options, it, ports, network.mode),
    ...(network.config && { NetworkingConfig: network.config }),
  };
}

function config(options: ContainerOptions, it: Invocation, ports: Ports): ContainerConfig {
  const attached = attachments(options, it.detach);
  const check = health(options);
  const { anonymous } = volumes(options.volume);
  const entrypoint = options.entrypoint;
  return {
    ...said({
      Hostname: options.hostname ?? "",
      Domainname: options.domainname ?? "",
      User: options.user ?? "",
      Env: environment(options["env-file"], options.env),
      Labels: labels(options["label-file"], options.label),
      WorkingDir: options.workdir ?? "",
      ExposedPorts: ports.exposed,
      Volumes: Object.fromEntries(anonymous.map((path) => [path, {}])),
      StopSignal: options["stop-signal"] ?? "",
    }),
    Image: it.image,
    Tty: options.tty,
    OpenStdin: options.interactive,
    AttachStdin: attached.stdin,
    AttachStdout: attached.stdout,
    AttachStderr: attached.stderr,
    StdinOnce: options.interactive && attached.stdin,
    ...(it.command.length > 0 && { Cmd: it.command }),
    // An empty --entrypoint takes the image's away.
    ...(entrypoint !== undefined && { Entrypoint: [entrypoint] }),
    ...(options["stop-timeout"] !== undefined && { StopTimeout: options["stop-timeout"] }),
    ...(check && { Healthcheck: check }),
  };
}

/** Which streams the caller is connected to: what `-a` names, or output and error, and input with `-i`. */
export function attachments(options: ContainerOptions, detach: boolean) {
  const named = options.attach.map((text) => text.toLowerCase());
  for (const name of named)
    if (!["stdin", "stdout", "stderr"].includes(name))
      throw new Failure(
        `invalid argument "${name}" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR`,
        125,
      );
  const byDefault = named.length === 0 && !detach;
  return {
    stdin: named.includes("stdin") || (byDefault && options.interactive),
    stdout: named.includes("stdout") || byDefault,
    stderr: named.includes("stderr") || byDefault,
  };
}

function hostConfig(
  options: ContainerOptions,
  it: Invocation,
  ports: Ports,
  networkMode: string,
): HostConfig {
  const secured = security(options["security-opt"]);
  return {
    ...resources(options),
    ...said({
      Annotations: { ...pairs(options.annotation), ...clocks(options["time-offset"]), ...it.annotations },
      AutoRemove: options.rm,
      Binds: volumes(options.volume).binds,
      ...capabilities(options["cap-add"], options["cap-drop"]),
      CgroupnsMode: options.cgroupns ?? "",
      ContainerIDFile: options.cidfile ?? "",
      Dns: options.dns,
      DnsOptions: [...options["dns-opt"], ...options["dns-option"]],
      DnsSearch: options["dns-search"],
      ExtraHosts: options["add-host"].map(extraHost),
      GroupAdd: options["group-add"],
      Init: options.init,
      IpcMode: options.ipc ?? "",
      Isolation: options.isolation ?? "",
      Links: options.link,
      Mounts: options.mount,
      OomScoreAdj: options["oom-score-adj"] ?? 0,
      PidMode: options.pid ?? "",
      PortBindings: ports.bindings,
      Privileged: options.privileged,
      PublishAllPorts: options["publish-all"],
      ReadonlyRootfs: options["read-only"],
      Runtime: options.runtime ?? "",
      SecurityOpt: secured.options,
      ShmSize: options["shm-size"] ?? 0,
      StorageOpt: pairs(options["storage-opt"]),
      Sysctls: pairs(options.sysctl),
      Tmpfs: Object.fromEntries(options.tmpfs.map(tmpfs)),
      UTSMode: options.uts ?? "",
      UsernsMode: options.userns ?? "",
      VolumeDriver: options["volume-driver"] ?? "",
      VolumesFrom: options["volumes-from"],
    }),
    NetworkMode: networkMode,
    RestartPolicy: restartPolicy(options.restart),
    ...((options["log-driver"] || options["log-opt"].length > 0) && {
      LogConfig: { Type: options["log-driver"] ?? "", Config: pairs(options["log-opt"]) },
    }),
    ...(it.consoleSize && { ConsoleSize: it.consoleSize }),
    // Empty lists, not absent ones: absent is the engine's default.
    ...(secured.openPaths && { MaskedPaths: [], ReadonlyPaths: [] }),
  };
}

function tmpfs(text: string): readonly [string, string] {
  const at = text.indexOf(":");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function extraHost(text: string): string {
  const match = /^([^:=]+)[:=](.+)$/.exec(text);
  if (!match?.[2])
    throw new Failure(
      `invalid argument "${text}" for "--add-host" flag: bad format for add-host: "${text}"`,
      125,
    );
  return `${match[1]}:${match[2].replace(/^\[(.*)\]$/, "$1")}`;
}

function guard<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Failure((error as Error).message, 125);
  }
}
