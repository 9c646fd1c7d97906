import { isIP } from "node:net";
import { Refusal } from "../../oci/error.ts";
import type { ContainerConfig, HostConfig } from "../../wire/container.ts";
import type { PortProtocol } from "./published.ts";

/** Where one port of a container is asked to be published. */
export interface PortRequest {
  readonly protocol: PortProtocol;
  readonly containerPort: number;
  /** Empty: every address of the host. */
  readonly hostIp: string;
  /** Any free port of these; null is any of the kernel's ephemeral ones. */
  readonly hostPorts: { readonly first: number; readonly last: number } | null;
}

type Asked = Pick<HostConfig, "PortBindings" | "PublishAllPorts">;

/**
 * What `-p` and `-P` ask for, in the order of the container's ports.
 * @throws Refusal (400) with Docker's sentence where it has one
 */
export function portRequests(config: Pick<ContainerConfig, "ExposedPorts">, host: Asked): PortRequest[] {
  const bound = host.PortBindings ?? {};
  const requests = Object.entries(bound).flatMap(([key, bindings]) => {
    const port = parsePort(key);
    return (bindings ?? []).map(({ HostIp = "", HostPort = "" }) => {
      if (HostIp !== "" && isIP(HostIp) === 0) {
        throw new Refusal("invalid", `invalid IP address ${quoted(HostIp)} to publish port ${key} on`);
      }
      return { ...port, hostIp: HostIp, hostPorts: parseHostPorts(HostPort) };
    });
  });
  const taken = new Set(
    Object.entries(bound)
      .filter(([, bindings]) => bindings?.length)
      .map(([key]) => nameOf(parsePort(key))),
  );
  const exposed = Object.keys(host.PublishAllPorts ? (config.ExposedPorts ?? {}) : {}).map(parsePort);
  for (const port of exposed) {
    if (!taken.has(nameOf(port))) requests.push({ ...port, hostIp: "", hostPorts: null });
  }
  return requests.sort((a, b) => a.containerPort - b.containerPort || (a.protocol < b.protocol ? -1 : 0));
}

type Port = Pick<PortRequest, "protocol" | "containerPort">;

/** `80/tcp`, the key of Docker's maps. */
export const nameOf = ({ containerPort, protocol }: Port): string => `${containerPort}/${protocol}`;

/** A key of `ExposedPorts` or `PortBindings`: `80`, `80/udp`. @throws Refusal (400) */
export function parsePort(key: string): Port {
  const [number = "", protocol = "tcp", ...more] = key.split("/");
  const containerPort = parseNumber(number);
  // Nothing can listen on port 0: Docker takes it, and publishes what leads nowhere.
  if (!containerPort || more.length > 0)
    throw new Refusal("invalid", `invalid port specification: ${quoted(number)}`);
  const known = protocol.toLowerCase();
  if (known !== "tcp" && known !== "udp" && known !== "sctp") {
    throw new Refusal("invalid", `invalid proto: ${protocol.slice(0, 40)}: use tcp, udp or sctp`);
  }
  return { containerPort, protocol: known };
}

/** What is exposed, without keys of images that mean nothing. */
export const exposedPorts = (exposed: ContainerConfig["ExposedPorts"]): Port[] =>
  Object.keys(exposed ?? {}).flatMap((key) => {
    try {
      return [parsePort(key)];
    } catch {
      return [];
    }
  });

/** `8080`, `8080-8090`; empty and `0` are any free one, as clients of Docker's have it. */
function parseHostPorts(text: string): PortRequest["hostPorts"] {
  if (text === "" || text === "0") return null;
  const [from = "", to = from, ...more] = text.split("-");
  const first = parseNumber(from);
  const last = parseNumber(to);
  if (!first || !last || last < first || more.length > 0) {
    throw new Refusal("invalid", `invalid port specification: ${quoted(text)}`);
  }
  return { first, last };
}

function parseNumber(text: string): number | undefined {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return number <= 65535 ? number : undefined;
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80));
