import type { Digest } from "../../oci/digest.ts";
import { Refusal } from "../../oci/error.ts";
import type { HealthConfig, ImageRunConfig } from "../../oci/image.ts";
import type { ContainerConfig, Healthcheck } from "../../wire/container.ts";
import type { Container } from "../container.ts";
import { pause, unpause } from "../containers/freeze.ts";
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
  const { pause: hold, config, ...naming } = request;
  // Written down and told like anybody's pause, so that it can be ended even if the engine is killed meanwhile.
  const held = hold && record.state.status === "running" && (await unlessRefused(pause(engine, container)));
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
    if (held) await unlessRefused(unpause(engine, container));
  }
}

/** False if the container is no longer what it was: it has ended, or somebody else has let it go on. */
const unlessRefused = (change: Promise<void>): Promise<boolean> =>
  change.then(
    () => true,
    (error: unknown) => {
      if (error instanceof Refusal) return false;
      throw error;
    },
  );

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
