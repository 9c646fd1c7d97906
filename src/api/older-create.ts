import { isUserDefined, networkOf } from "../container/endpoint.ts";
import { invalid } from "../engine/refuse.ts";
import type { ContainerConfig, ContainerCreateRequest, HostConfig } from "../wire/container.ts";

type Mount = NonNullable<HostConfig["Mounts"]>[number];

/**
 * What a create of an older version of the API means today: what came later is left out, and what had another
 * default has it. The rules are what a dockerd keeps of each field in each version. `minor` is 43 of 1.43.
 * @throws Refusal (400) for what cannot be left out without meaning something else
 */
export function createFor(request: ContainerCreateRequest, minor: number): ContainerCreateRequest {
  const { HostConfig: host, NetworkingConfig: networking, ...config } = request;
  const mode = networkOf(host?.NetworkMode);
  if (minor < 44 && config.MacAddress && mode !== "bridge" && !isUserDefined(mode))
    throw invalid("conflicting options: mac-address and the network mode");
  return {
    ...configFor(config, minor),
    ...(host ? { HostConfig: hostFor(host, minor) } : {}),
    ...(networking ? { NetworkingConfig: networkingFor(networking, minor) } : {}),
  };
}

function configFor(config: ContainerConfig, minor: number): ContainerConfig {
  if (minor >= 44 || !config.Healthcheck) return config;
  const { StartInterval: _, ...Healthcheck } = config.Healthcheck;
  return { ...config, Healthcheck };
}

function hostFor(host: HostConfig, minor: number): HostConfig {
  const { KernelMemory, KernelMemoryTCP, Annotations, ConsoleSize, Mounts, ...rest } = host;
  return {
    ...rest,
    // Gone from the kernel: the engine warns of it, where Docker says nothing.
    ...(KernelMemory ? { KernelMemory } : {}),
    ...(KernelMemoryTCP && minor >= 40 ? { KernelMemoryTCP } : {}),
    ...(Annotations && minor >= 43 ? { Annotations } : {}),
    ...(ConsoleSize && minor >= 42 ? { ConsoleSize } : {}),
    ...(Mounts ? { Mounts: Mounts.map((mount) => mountFor(mount, minor)) } : {}),
    ...(minor < 40 && !rest.IpcMode ? { IpcMode: "shareable" } : {}),
  };
}

function mountFor(mount: Mount, minor: number): Mount {
  if (minor < 45 && mount.VolumeOptions?.Subpath)
    throw invalid("VolumeOptions.Subpath needs API v1.45 or newer");
  if (minor >= 44 || !mount.BindOptions) return mount;
  const { NonRecursive, CreateMountpoint, ...rest } = mount.BindOptions;
  if (rest.ReadOnlyForceRecursive)
    throw invalid("BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer");
  return {
    ...mount,
    BindOptions: {
      ...rest,
      ...(NonRecursive && minor >= 40 ? { NonRecursive } : {}),
      ...(CreateMountpoint && minor >= 42 ? { CreateMountpoint } : {}),
      // Read-only was not for what is mounted below.
      ...(mount.ReadOnly ? { ReadOnlyNonRecursive: true } : {}),
    },
  };
}

type Networking = NonNullable<ContainerCreateRequest["NetworkingConfig"]>;

function networkingFor(networking: Networking, minor: number): Networking {
  const { EndpointsConfig } = networking;
  if (minor >= 48 || !EndpointsConfig) return networking;
  const names = Object.keys(EndpointsConfig).sort();
  if (minor < 44 && names.length > 1)
    throw invalid(`Container cannot be created with multiple network endpoints: ${names.join(", ")}`);
  const entries = Object.entries(EndpointsConfig).map(([name, endpoint]) => {
    const { GwPriority: _, MacAddress, ...rest } = endpoint ?? {};
    return [name, { ...rest, ...(MacAddress && minor >= 44 ? { MacAddress } : {}) }] as const;
  });
  return { EndpointsConfig: Object.fromEntries(entries) };
}
