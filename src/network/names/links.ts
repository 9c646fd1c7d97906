import type { ContainerConfig } from "../../wire/container.ts";
import type { PortProtocol } from "../ports/published.ts";
import { exposedPorts, nameOf } from "../ports/request.ts";

/** A container that another one is linked to on the default bridge. */
export interface Linked {
  /** Name of the container that has the link, without a slash. */
  readonly parent: string;
  /** How the parent calls it. */
  readonly alias: string;
  readonly address: string;
  /** Its own variables: `Config.Env`. */
  readonly env: readonly string[];
  readonly exposed: ContainerConfig["ExposedPorts"];
}

interface Port {
  readonly containerPort: number;
  readonly protocol: PortProtocol;
}

/** Images and init systems set these for everyone: they are not told on. */
const PRIVATE = new Set(["HOME", "HOSTNAME", "PATH", "TERM"]);

/** The variables that Docker sets for a link, `DB_PORT=tcp://172.17.0.2:5432` and so on, in its order. */
export function linkEnvironment({ parent, alias, address, env, exposed }: Linked): string[] {
  const prefix = alias.replaceAll("-", "_").toUpperCase();
  const ports = exposedPorts(exposed).sort(byPort);
  const first = ports[0];
  return [
    ...(first ? [`${prefix}_PORT=${url(address, first)}`] : []),
    ...spans(ports).flatMap((span) => spanVariables(prefix, address, span)),
    `${prefix}_NAME=/${parent}/${alias}`,
    ...env.flatMap((one) => {
      const name = one.split("=", 1)[0] ?? "";
      return PRIVATE.has(name) || name === "" ? [] : [`${prefix}_ENV_${one}`];
    }),
  ];
}

/** Docker puts TCP before the others, and smaller numbers first. */
const byPort = (a: Port, b: Port): number =>
  Number(a.protocol !== "tcp") - Number(b.protocol !== "tcp") || a.containerPort - b.containerPort;

/** Neighbouring ports of one protocol. */
function spans(ports: readonly Port[]): Port[][] {
  const found: Port[][] = [];
  for (const port of ports) {
    const last = found.at(-1)?.at(-1);
    if (last?.protocol === port.protocol && last.containerPort + 1 === port.containerPort)
      found.at(-1)?.push(port);
    else found.push([port]);
  }
  return found;
}

function spanVariables(prefix: string, address: string, span: readonly Port[]): string[] {
  const [first, last] = [span[0]!, span.at(-1)!];
  const start = keyOf(prefix, first);
  const range =
    first === last
      ? []
      : [
          `${start}_START=${url(address, first)}`,
          `${start}_PORT_START=${first.containerPort}`,
          `${start}_END=${url(address, last)}`,
          `${start}_PORT_END=${last.containerPort}`,
        ];
  const each = span.flatMap((port) => {
    const key = keyOf(prefix, port);
    return [
      `${key}=${url(address, port)}`,
      `${key}_ADDR=${address}`,
      `${key}_PORT=${port.containerPort}`,
      `${key}_PROTO=${port.protocol}`,
    ];
  });
  return [...range, ...each];
}

const keyOf = (prefix: string, port: Port): string =>
  `${prefix}_PORT_${nameOf(port).replace("/", "_").toUpperCase()}`;
const url = (address: string, { protocol, containerPort }: Port): string =>
  `${protocol}://${address}:${containerPort}`;

/**
 * A `--link`: `container`, `container:alias`, or `/container:/parent/alias` as the API gives it back.
 * @returns null when it is none
 */
export function parseLink(text: string): { readonly container: string; readonly alias: string } | null {
  const [container = "", given, ...more] = text.split(":");
  const alias = given === undefined ? container : (given.split("/").at(-1) ?? "");
  if (container === "" || alias === "" || more.length > 0) return null;
  return { container: container.replace(/^\//, ""), alias: alias.replace(/^\//, "") };
}
