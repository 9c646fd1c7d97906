import { newContainerId, shortId } from "../../container/id.ts";
import { logOptions } from "../../container/logs/options.ts";
import { badName } from "../../container/names.ts";
import type { ContainerRecord } from "../../container/record.ts";
import { badPolicy } from "../../container/restart.ts";
import { NEVER, now } from "../../container/time.ts";
import { signalNumber } from "../../kernel/signals.ts";
import type { ContainerConfig, ContainerCreateRequest, HostConfig } from "../../wire/container.ts";
import { type Container, newContainer } from "../container.ts";
import type { Context } from "../context.ts";
import { conflict, invalid, notFound } from "../refuse.ts";
import { tell } from "./tell.ts";

/**
 * Makes a container that is ready to start.
 * @param name empty: one is invented
 * @throws Refusal with Docker's sentence; nothing is left then
 */
export async function create(
  context: Context,
  name: string,
  request: ContainerCreateRequest,
): Promise<{ readonly container: Container; readonly warnings: readonly string[] }> {
  if (name !== "") checkName(context, name);
  const { HostConfig: askedHost, NetworkingConfig: networking, ...asked } = request;
  const host = askedHost ?? {};
  if (!asked.Image) throw invalid("no image specified: name one, for example the built-in image host");
  const image = context.images.find(asked.Image);
  if (!image) throw notFound(`No such image: ${withTag(asked.Image)}`);
  const options = check(asked, host);
  const id = newContainerId();
  const config: ContainerConfig = { ...asked, Hostname: asked.Hostname || defaultHostname(id, host) };
  const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  const [path, ...args] = command;
  if (path === undefined || path === "") {
    throw invalid("no command specified: name one after the image, or set it in the image");
  }
  const record: ContainerRecord = {
    format: 1,
    id,
    name: name || context.names.invent(),
    created: now(),
    image: image.id,
    path,
    args,
    config,
    host,
    networking: networking ?? null,
    mounts: [],
    anonymous: [],
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
  try {
    context.images.driver.createWritable(id, image.chain);
    context.store.save(record);
  } catch (error) {
    context.names.remove(id, record.name);
    context.containers.delete(id);
    await context.images.driver.remove(id).catch(() => undefined);
    context.store.remove(id);
    throw error;
  }
  tell(context, record, "create");
  return { container, warnings: [] };
}

export function checkName(context: Context, name: string): void {
  const bad = badName(name);
  if (bad) throw invalid(bad);
  const holder = context.names.holder(name);
  if (holder === undefined) return;
  throw conflict(
    `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
}

function check(config: ContainerConfig, host: HostConfig): ReturnType<typeof newContainer>["logOptions"] {
  const policy = badPolicy(host.RestartPolicy, host.AutoRemove ?? false);
  if (policy) throw invalid(policy);
  if (config.StopSignal && signalNumber(config.StopSignal) === undefined) {
    throw invalid(`invalid signal: ${config.StopSignal.slice(0, 40)}`);
  }
  const options = logOptions(host.LogConfig);
  if (typeof options === "string") throw invalid(options);
  return options;
}

const defaultHostname = (id: string, host: HostConfig): string =>
  host.UTSMode === "host" ? "" : shortId(id);

const withTag = (name: string): string => (/[:@]/.test(name.split("/").at(-1)!) ? name : `${name}:latest`);
