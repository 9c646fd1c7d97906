import { wrongFields, wrongShape } from "../container/spec/shape.ts";
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
const LISTS = ["Cmd", "Entrypoint", "Shell"] as const;

/** Body of a create. @throws Refusal (400) that names the first field whose value is of the wrong kind */
export function createRequest(body: Body): ContainerCreateRequest {
  const lists = LISTS.filter((name) => typeof body[name] === "string").map((name) => [name, [body[name]]]);
  const whole = lists.length === 0 ? body : { ...body, ...Object.fromEntries(lists) };
  check(wrongShape(whole, whole.HostConfig));
  check(wrongFields(whole, { NetworkingConfig: { fields: { EndpointsConfig: { map: ENDPOINT } } } }));
  return whole as ContainerCreateRequest;
}

/** Body of an update. @throws Refusal (400) as `createRequest` */
export function updateRequest(body: Body): Body {
  check(wrongShape(undefined, body));
  return body;
}

/** Body of an exec. @throws Refusal (400) as `createRequest` */
export function execRequest(body: Body): ExecConfig {
  const strings = { list: "string" } as const;
  check(
    wrongFields(body, {
      User: "string",
      WorkingDir: "string",
      DetachKeys: "string",
      Cmd: strings,
      Env: strings,
      Tty: "boolean",
      Privileged: "boolean",
      AttachStdin: "boolean",
      AttachStdout: "boolean",
      AttachStderr: "boolean",
      ConsoleSize: { list: "integer" },
    }),
  );
  return body as ExecConfig;
}

/** Body of a volume's create. @throws Refusal (400) as `createRequest` */
export function volumeRequest(body: Body): VolumeCreateRequest {
  const texts = { map: "string" } as const;
  check(wrongFields(body, { Name: "string", Driver: "string", DriverOpts: texts, Labels: texts }));
  return body as VolumeCreateRequest;
}

const TEXTS = { map: "string" } as const;
const STRINGS = { list: "string" } as const;

/** What a container asks of one network. */
const ENDPOINT = {
  fields: {
    IPAMConfig: { fields: { IPv4Address: "string", IPv6Address: "string", LinkLocalIPs: STRINGS } },
    Links: STRINGS,
    Aliases: STRINGS,
    MacAddress: "string",
    DriverOpts: TEXTS,
    GwPriority: "integer",
  },
} as const;

const POOL = {
  fields: { Subnet: "string", IPRange: "string", Gateway: "string", AuxiliaryAddresses: TEXTS },
} as const;

/** Body of a network's create. @throws Refusal (400) as `createRequest` */
export function networkRequest(body: Body): NetworkCreateRequest {
  check(
    wrongFields(body, {
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
    }),
  );
  return { Name: "", ...body } as NetworkCreateRequest;
}

/** Body of a connect. @throws Refusal (400) as `createRequest` */
export function connectRequest(body: Body): NetworkConnectRequest {
  check(wrongFields(body, { Container: "string", EndpointConfig: ENDPOINT }));
  return { Container: "", ...body } as NetworkConnectRequest;
}

/** Body of a disconnect. @throws Refusal (400) as `createRequest` */
export function disconnectRequest(body: Body): NetworkDisconnectRequest {
  check(wrongFields(body, { Container: "string", Force: "boolean" }));
  return { Container: "", ...body } as NetworkDisconnectRequest;
}
