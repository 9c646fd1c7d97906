import { hostname } from "node:os";
import { networkOf } from "../../container/endpoint.ts";
import { newContainerId, shortId } from "../../container/id.ts";
import { type LogOptions, logOptions } from "../../container/logs/options.ts";
import { badName } from "../../container/names.ts";
import type { ContainerRecord } from "../../container/record.ts";
import { badPolicy } from "../../container/restart.ts";
import { mergeImageConfig } from "../../container/spec/merge.ts";
import { containerOf } from "../../container/spec/mode.ts";
import { validateContainer } from "../../container/spec/validate.ts";
import { NEVER, now } from "../../container/time.ts";
import { portRequests } from "../../network/ports/request.ts";
import type { ContainerConfig, ContainerCreateRequest, HostConfig } from "../../wire/container.ts";
import { type Container, newContainer, serially } from "../container.ts";
import type { Context } from "../context.ts";
import { machine } from "../facts.ts";
import { checkLimits, hasLimits } from "../launch.ts";
import { askedNetworks } from "../networks/asked.ts";
import { keptLinks } from "../networks/linked.ts";
import { conflict, invalid } from "../refuse.ts";
import { removeVolume } from "../volumes.ts";
import { fillVolumes } from "./fill.ts";
import { joinedById } from "./joined.ts";
import { makeMounts } from "./mounts.ts";
import { tell } from "./tell.ts";

/**
 * Makes a container that is ready to start.
 * @param name empty: one is invented
 * @param client what those of old take for granted
 * @throws Refusal with Docker's sentence; nothing is left then
 */
export async function create(
  context: Context,
  name: string,
  request: ContainerCreateRequest,
  client: { readonly flatReadonly?: boolean } = {},
): Promise<{ readonly container: Container; readonly warnings: readonly string[] }> {
  if (name !== "") checkName(context, name);
  const { HostConfig: askedHost, NetworkingConfig: networking, ...asked } = request;
  const host = settled(askedHost ?? {}, asked.NetworkDisabled ?? false);
  if (Object.keys(asked).length === 0) throw invalid("config cannot be empty in order to create a container");
  if (!asked.Image) throw invalid("no command specified: name an image, for example the built-in image host");
  const image = context.images.get(asked.Image);
  const options = check(host);
  const id = newContainerId();
  const merged = mergeImageConfig((image.config.config ?? {}) as ContainerConfig, asked);
  const config: ContainerConfig = { ...merged, Hostname: asked.Hostname || defaultHostname(id, host) };
  const { error, warnings } = validateContainer(asked, host, machine());
  if (error !== undefined) throw invalid(error);
  const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  const [path, ...args] = command;
  if (path === undefined) {
    throw invalid("no command specified: name one after the image, or set it in the image");
  }
  if (name !== "" && containerOf(host.NetworkMode) === name)
    throw invalid("cannot join own network namespace");
  const joining = joinedById(context, host);
  // Refused now what could only fail at every start.
  const lost = portRequests(config, host).length > 0 && networkOf(host.NetworkMode) === "host";
  const endpoints = askedNetworks(context, host, config, networking);
  const { mounts, inherited, made, anonymous, copies } = makeMounts(context, config, host);
  const chosen = name || context.names.invent();
  const links = keptLinks(context, chosen, host);
  const record: ContainerRecord = {
    format: 1,
    id,
    name: chosen,
    created: now(),
    image: image.id,
    path,
    args,
    config,
    host: links ? { ...joining, Links: links } : joining,
    endpoints,
    mounts,
    ...(inherited.length > 0 ? { inherited } : {}),
    ...(client.flatReadonly ? { flatReadonly: true } : {}),
    anonymous,
    state: {
      status: "created",
      pid: 0,
      exitCode: 0,
      error: "",
      oomKilled: false,
      startedAt: NEVER,
      finishedAt: NEVER,
      restartCount: 0,
      manuallyStopped: false,
    },
  };
  const container = newContainer(record, options);
  // The name is taken at once: of two creates at the same moment, one gets it.
  context.names.add(id, record.name);
  context.containers.set(id, container);
  // Whoever finds it by its name before it is whole waits.
  const limitWarnings = await serially(container, async () => {
    try {
      await context.images.driver.createWritable(id, image.chain);
      const found = hasLimits(host) ? checkLimits(context, record) : [];
      if (copies.length > 0) await fillVolumes(context, container, copies);
      context.store.save(record);
      return found;
    } catch (failure) {
      context.names.remove(id, record.name);
      context.containers.delete(id);
      await context.images.driver.remove(id).catch(() => undefined);
      context.store.remove(id);
      for (const volume of made) await removeVolume(context, volume, true).catch(() => undefined);
      throw failure;
    }
  });
  tell(context, record, "create");
  return {
    container,
    warnings: [...warnings, ...(lost ? [PORTS_LOST] : []), ...deprecated(asked), ...limitWarnings],
  };
}

/** Docker's words. */
const PORTS_LOST = "Published ports are discarded when using host network mode";

/** @throws Refusal when a name breaks the rules (400) or is taken (409) */
export function checkName(context: Context, name: string): void {
  const bad = badName(name);
  if (bad) throw invalid(bad);
  const holder = context.names.holder(name);
  if (holder === undefined) return;
  throw conflict(
    `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
}

function check(host: HostConfig): LogOptions {
  const policy = badPolicy(host.RestartPolicy, host.AutoRemove ?? false);
  if (policy) throw invalid(policy);
  const options = logOptions(host.LogConfig);
  if (typeof options === "string") throw invalid(options);
  return options;
}

/** What Docker makes of a host configuration before it keeps it. */
function settled(host: HostConfig, alone: boolean): HostConfig {
  const { IpcMode, PidMode, PidsLimit, Privileged, SecurityOpt } = host;
  // Who shares such namespaces with the host cannot have a label of his own (SELinux).
  const shared = Privileged || IpcMode === "host" || PidMode === "host";
  return {
    ...host,
    ...(alone ? { NetworkMode: "none" } : {}),
    ...(shared ? { SecurityOpt: [...(SecurityOpt ?? []), "label=disable"] } : {}),
    ...(typeof PidsLimit === "number" && PidsLimit <= 0 ? { PidsLimit: null } : {}),
  };
}

/** On the host's network it has the host's name, as in Docker. */
function defaultHostname(id: string, host: HostConfig): string {
  if (host.UTSMode === "host") return "";
  return networkOf(host.NetworkMode) === "host" ? hostname() : shortId(id);
}

/** Docker's words, to clients of API 1.44 and later. */
export const MAC_DEPRECATED =
  "The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.";

const deprecated = ({ MacAddress }: ContainerConfig): string[] => (MacAddress ? [MAC_DEPRECATED] : []);
