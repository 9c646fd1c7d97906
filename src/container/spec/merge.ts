import type { ContainerConfig, Healthcheck } from "../../wire/container.ts";
import { cleanPath } from "./mountpoint.ts";

/** What a container is created with, over what its image says; as `docker create` merges the two. */
export function mergeImageConfig(image: ContainerConfig, asked: ContainerConfig): ContainerConfig {
  const { ExposedPorts, Volumes, ...others } = asked;
  const entrypoint = list(asked.Entrypoint);
  // An entrypoint of one's own leaves the image's command behind; `--entrypoint ""` asks for none at all.
  const own = entrypoint.length > 0;
  const command = list(asked.Cmd);
  const healthcheck = mergeHealthcheck(image.Healthcheck ?? undefined, asked.Healthcheck ?? undefined);
  const defined = <K extends keyof ContainerConfig>(key: K, value: ContainerConfig[K]) =>
    value === undefined ? {} : { [key]: value };
  return {
    ...others,
    ...defined("User", asked.User || image.User),
    ...defined("WorkingDir", asked.WorkingDir ? cleanPath(asked.WorkingDir) : image.WorkingDir),
    ...defined("StopSignal", asked.StopSignal || image.StopSignal),
    ...defined("StopTimeout", asked.StopTimeout ?? image.StopTimeout),
    ...defined("Shell", asked.Shell ?? image.Shell),
    ...(healthcheck ? { Healthcheck: healthcheck } : {}),
    Entrypoint: own
      ? entrypoint.length === 1 && entrypoint[0] === ""
        ? null
        : entrypoint.filter((word, index) => index > 0 || word !== "")
      : (asked.Entrypoint ?? image.Entrypoint ?? null),
    Cmd: own ? (asked.Cmd ?? null) : command.length > 0 ? command : (image.Cmd ?? null),
    Env: mergeEnvironment(list(image.Env), list(asked.Env)),
    Labels: { ...image.Labels, ...asked.Labels },
    ...defined("ExposedPorts", union(image.ExposedPorts, ExposedPorts)),
    ...defined("Volumes", union(image.Volumes, Volumes)),
  };
}

/** The asked ones first, then the image's variables that they do not name. */
function mergeEnvironment(image: readonly string[], asked: readonly string[]): readonly string[] {
  const name = (word: string) => word.split("=", 1)[0];
  const named = new Set(asked.map(name));
  return [...asked, ...image.filter((word) => !named.has(name(word)))];
}

/** Field by field: an empty or missing one is the image's. */
function mergeHealthcheck(
  image: Healthcheck | undefined,
  asked: Healthcheck | undefined,
): Healthcheck | undefined {
  if (!image || !asked) return asked ?? image;
  const set = Object.entries(asked).filter(([, value]) =>
    Array.isArray(value) ? value.length > 0 : value !== null && value !== 0,
  );
  return { ...image, ...Object.fromEntries(set) };
}

/** Nothing rather than an empty set, as Docker keeps it. */
function union<T>(
  image: Readonly<Record<string, T>> | null | undefined,
  asked: Readonly<Record<string, T>> | null | undefined,
) {
  const both = { ...image, ...asked };
  return Object.keys(both).length > 0 ? both : undefined;
}

function list(words: readonly string[] | null | undefined): readonly string[] {
  return words ?? [];
}
