import { freeze, thaw } from "../../cgroup/freeze.ts";
import type { Digest } from "../../oci/digest.ts";
import type { HealthConfig, ImageRunConfig } from "../../oci/image.ts";
import type { ContainerConfig, Healthcheck } from "../../wire/container.ts";
import type { Container } from "../container.ts";
import { cgroupOf } from "../containers/freeze.ts";
import { tell } from "../containers/tell.ts";
import type { Engine } from "../engine.ts";

export interface CommitRequest {
  readonly repo?: string;
  readonly tag?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly changes: readonly string[];
  /** Hold the container's processes meanwhile, so that its files are of one moment. */
  readonly pause: boolean;
  /** What the image shall say instead of what the container says. */
  readonly config: ContainerConfig;
}

/** Makes an image of what a container changed. */
export async function commitContainer(
  engine: Engine,
  container: Container,
  request: CommitRequest,
): Promise<Digest> {
  const { record } = container;
  const { pause, config, ...naming } = request;
  const { layout } = engine.cgroups;
  const hold = pause && record.state.status === "running";
  if (hold) await freeze(layout, cgroupOf(engine, container));
  try {
    const id = await engine.images.commit({
      ...naming,
      config: runConfig(record.config),
      asked: runConfig(config),
      image: record.image,
      snapshot: record.id,
      createdBy: [record.path, ...record.args].join(" "),
    });
    tell(engine, record, "commit", { comment: request.comment ?? "", imageID: id, imageRef: refOf(request) });
    return id;
  } finally {
    if (hold) await thaw(layout, cgroupOf(engine, container));
  }
}

const refOf = ({ repo, tag }: CommitRequest): string => (repo ? `${repo}:${tag ?? "latest"}` : "");

/** The part of a container's configuration that belongs to an image. */
function runConfig(config: ContainerConfig): ImageRunConfig {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal } = config;
  return {
    ...(User ? { User } : {}),
    ...(ExposedPorts ? { ExposedPorts: ExposedPorts as Record<string, Record<string, never>> } : {}),
    ...(Env ? { Env } : {}),
    ...(Entrypoint ? { Entrypoint } : {}),
    ...(Cmd ? { Cmd } : {}),
    ...(Volumes ? { Volumes: Volumes as Record<string, Record<string, never>> } : {}),
    ...(WorkingDir ? { WorkingDir } : {}),
    ...(Labels ? { Labels } : {}),
    ...(StopSignal ? { StopSignal } : {}),
    ...(config.StopTimeout ? { StopTimeout: config.StopTimeout } : {}),
    ...(config.Shell ? { Shell: config.Shell } : {}),
    ...(config.Healthcheck ? { Healthcheck: healthConfig(config.Healthcheck) } : {}),
    ...(config.OnBuild ? { OnBuild: config.OnBuild } : {}),
  };
}

const healthConfig = ({ Test, ...rest }: Healthcheck): HealthConfig => ({
  ...rest,
  ...(Test ? { Test } : {}),
});
