import {
  canonical,
  canonicalContainer,
  canonicalHost,
  ENDPOINT,
  NETWORKING,
  type Shape,
  wrongFields,
  wrongShape,
} from "../container/spec/shape.ts";
import type { ContainerCreateRequest, ExecConfig } from "../wire/container.ts";
import type {
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
} from "../wire/network.ts";
import type { VolumeCreateRequest } from "../wire/volume.ts";
import { invalid } from "./refuse.ts";

type Body = Readonly<Record<string, unknown>>;

/** Refuses (400) for the first field whose value is of the wrong kind. */
function check(wrong: string | undefined): void {
  if (wrong !== undefined) throw invalid(wrong);
}

/** Docker takes one string for these where a list is meant (`strslice`). */
const LISTS = ["Cmd", "Entrypoint", "Shell"];
const HOST_LISTS = ["CapAdd", "CapDrop"];

/** With lists of one where a string stands for that. */
function listed(body: Body, names: readonly string[]): Body {
  const lists = names.filter((name) => typeof body[name] === "string").map((name) => [name, [body[name]]]);
  return lists.length === 0 ? body : { ...body, ...Object.fromEntries(lists) };
}

/** Body of a create. @throws Refusal (400) that names the first field whose value is of the wrong kind */
export function createRequest(sent: Body): ContainerCreateRequest {
  const body = canonicalContainer(sent) as Body;
  const { HostConfig } = body;
  const host = isObject(HostConfig) ? listed(HostConfig, HOST_LISTS) : HostConfig;
  const whole = listed(host === HostConfig ? body : { ...body, HostConfig: host }, LISTS);
  check(wrongShape(whole, whole.HostConfig));
  check(wrongFields(whole, { NetworkingConfig: NETWORKING }));
  return whole as ContainerCreateRequest;
}

const isObject = (value: unknown): value is Body =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Body of an update. @throws Refusal (400) as `createRequest` */
export function updateRequest(sent: Body): Body {
  const body = canonicalHost(sent) as Body;
  check(wrongShape(undefined, body));
  return body;
}

/** Body of an exec. @throws Refusal (400) as `createRequest` */
export function execRequest(sent: Body): ExecConfig {
  const body = canonical(sent, { fields: EXEC }) as Body;
  check(wrongFields(body, EXEC));
  return body as ExecConfig;
}

const STRINGS = { list: "string" } as const;
const EXEC: Readonly<Record<string, Shape>> = {
  User: "string",
  WorkingDir: "string",
  DetachKeys: "string",
  Cmd: STRINGS,
  Env: STRINGS,
  Tty: "boolean",
  Privileged: "boolean",
  AttachStdin: "boolean",
  AttachStdout: "boolean",
  AttachStderr: "boolean",
  ConsoleSize: { list: "integer" },
};

/** Body of a volume's create. @throws Refusal (400) as `createRequest` */
export function volumeRequest(sent: Body): VolumeCreateRequest {
  const body = canonical(sent, { fields: VOLUME }) as Body;
  check(wrongFields(body, VOLUME));
  return body as VolumeCreateRequest;
}

const TEXTS = { map: "string" } as const;
const VOLUME: Readonly<Record<string, Shape>> = {
  Name: "string",
  Driver: "string",
  DriverOpts: TEXTS,
  Labels: TEXTS,
};

const POOL: Shape = {
  fields: { Subnet: "string", IPRange: "string", Gateway: "string", AuxiliaryAddresses: TEXTS },
};

const NETWORK: Readonly<Record<string, Shape>> = {
  Name: "string",
  Driver: "string",
  Scope: "string",
  EnableIPv4: "boolean",
  EnableIPv6: "boolean",
  IPAM: { fields: { Driver: "string", Options: TEXTS, Config: { list: POOL } } },
  Internal: "boolean",
  Attachable: "boolean",
  Ingress: "boolean",
  ConfigOnly: "boolean",
  ConfigFrom: { fields: { Network: "string" } },
  Options: TEXTS,
  Labels: TEXTS,
};
const CONNECT: Readonly<Record<string, Shape>> = { Container: "string", EndpointConfig: ENDPOINT };
const DISCONNECT: Readonly<Record<string, Shape>> = { Container: "string", Force: "boolean" };

/** Body of a network's create. @throws Refusal (400) as `createRequest` */
export function networkRequest(sent: Body): NetworkCreateRequest {
  const body = canonical(sent, { fields: NETWORK }) as Body;
  check(wrongFields(body, NETWORK));
  return { Name: "", ...body } as NetworkCreateRequest;
}

/** Body of a connect. @throws Refusal (400) as `createRequest` */
export function connectRequest(sent: Body): NetworkConnectRequest {
  const body = canonical(sent, { fields: CONNECT }) as Body;
  check(wrongFields(body, CONNECT));
  return { Container: "", ...body } as NetworkConnectRequest;
}

/** Body of a disconnect. @throws Refusal (400) as `createRequest` */
export function disconnectRequest(sent: Body): NetworkDisconnectRequest {
  const body = canonical(sent, { fields: DISCONNECT }) as Body;
  check(wrongFields(body, DISCONNECT));
  return { Container: "", ...body } as NetworkDisconnectRequest;
}
