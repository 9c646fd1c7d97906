import { EMPTY_CONFIG } from "../wire/empty.ts";
import type { ImageInspect, ImageSummary } from "../wire/image.ts";
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

/** One entry of `GET /images/json`. */
export function imageSummaryFor(image: ImageSummary, minor: number): ImageSummary {
  // What is not asked for was not counted before.
  const Containers = minor < 51 && image.SharedSize < 0 ? -1 : image.Containers;
  const virtual = minor < 44 ? { VirtualSize: image.Size } : {};
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
