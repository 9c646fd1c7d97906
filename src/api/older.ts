import { isUserDefined } from "../container/endpoint.ts";
import { EMPTY_CONFIG } from "../wire/empty.ts";
import type { ImageInspect, ImageSummary } from "../wire/image.ts";
import type { ContainerInspect } from "../wire/inspect.ts";
import type { ContainerSummary } from "../wire/summary.ts";
import type { Info } from "../wire/system.ts";

/**
 * What Docker 28 answers otherwise to clients that speak an older version of the API, as seen when every answer
 * was asked for in every version from 1.24 to 1.51. `minor` is 43 of 1.43.
 */

/** `GET /info`. */
export function infoFor(info: Info, minor: number): object {
  const { RegistryConfig, FirewallBackend, Containerd, ...rest } = info;
  return {
    ...rest,
    RegistryConfig:
      minor < 47
        ? {
            AllowNondistributableArtifactsCIDRs: null,
            AllowNondistributableArtifactsHostnames: null,
            ...RegistryConfig,
          }
        : RegistryConfig,
    ...(minor < 42 ? { KernelMemory: info.MemoryLimit } : {}),
    ...(minor < 50 ? { BridgeNfIptables: false, BridgeNfIp6tables: false } : {}),
    ...(minor < 49 ? {} : { FirewallBackend }),
    ...(minor < 46 || !Containerd ? {} : { Containerd }),
  };
}

/** `GET /containers/{id}/json`. */
export function containerFor(container: ContainerInspect, minor: number): ContainerInspect {
  const { NetworkSettings, Config, Id, HostConfig } = container;
  if (minor >= 45 || !isUserDefined(HostConfig.NetworkMode ?? "")) return container;
  const more = [Id.slice(0, 12), Config.Hostname ?? ""].filter((name) => name !== "");
  const Networks = Object.fromEntries(
    Object.entries(NetworkSettings.Networks).map(([name, network]) => [
      name,
      { ...network, Aliases: [...new Set([...(network.Aliases ?? []), ...more])] },
    ]),
  );
  return { ...container, NetworkSettings: { ...NetworkSettings, Networks } };
}

/** One entry of `GET /containers/json`. */
export function summaryFor(container: ContainerSummary, minor: number): ContainerSummary {
  if (minor >= 46) return container;
  const { Annotations: _, ...HostConfig } = container.HostConfig;
  return { ...container, HostConfig };
}

/** One entry of `GET /images/json`. */
export function imageSummaryFor(image: ImageSummary, minor: number): ImageSummary {
  // What is not asked for was not counted before.
  const Containers = minor < 51 && image.SharedSize < 0 ? -1 : image.Containers;
  const virtual = minor < 44 ? { VirtualSize: image.Size } : {};
  if (minor < 43 && !image.RepoTags?.length && !image.RepoDigests?.length) {
    const none = { RepoTags: ["<none>:<none>"], RepoDigests: ["<none>@<none>"] };
    return { ...image, ...virtual, Containers, ...none };
  }
  const digests = image.RepoDigests?.length ? image.RepoDigests : minor < 43 ? null : [];
  return { ...image, ...virtual, Containers, RepoDigests: digests };
}

/** `GET /images/{name}/json`. */
export function imageFor(image: ImageInspect, minor: number): object {
  return {
    ...image,
    ...(minor < 44 ? { VirtualSize: image.Size } : {}),
    ...(minor < 45 ? { ContainerConfig: EMPTY_CONFIG } : {}),
    ...(minor < 50 && image.Config ? { Config: { ...EMPTY_CONFIG, ...image.Config } } : {}),
  };
}
