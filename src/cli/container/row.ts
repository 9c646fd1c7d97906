import type { ContainerSummary, PortSummary } from "../../wire/summary.ts";
import { ago, ellipsis, goTime, humanSize, shortId } from "../format/human.ts";
import type { Listing } from "../format/rows.ts";
import type { Fields, Value } from "../format/value.ts";

export const containerListing: Listing = {
  columns: "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}",
  headers: {
    Command: "COMMAND",
    CreatedAt: "CREATED AT",
    ID: "CONTAINER ID",
    Image: "IMAGE",
    Labels: "LABELS",
    LocalVolumes: "LOCAL VOLUMES",
    Mounts: "MOUNTS",
    Names: "NAMES",
    Networks: "NETWORKS",
    Platform: "PLATFORM",
    Ports: "PORTS",
    RunningFor: "CREATED",
    Size: "SIZE",
    State: "STATE",
    Status: "STATUS",
  },
  id: "ID",
};

/** A container as `ps` shows it and its templates see it. */
export function containerRow(it: ContainerSummary, truncate: boolean): Fields {
  const labels = it.Labels ?? {};
  const mounts = it.Mounts.map((mount) => mount.Name || mount.Source);
  const row: Record<string, Value> = {
    Command: JSON.stringify(truncate ? ellipsis(it.Command, 20) : it.Command),
    // Only when it is asked for: the first local time of a process costs milliseconds.
    get CreatedAt() {
      return goTime(it.Created);
    },
    ID: truncate ? shortId(it.Id) : it.Id,
    Image: imageName(it, truncate),
    Labels: labelsText(labels),
    LocalVolumes: String(it.Mounts.filter((mount) => mount.Driver === "local").length),
    Mounts: mounts.map((name) => (truncate ? ellipsis(name, 15) : name)).join(","),
    Names: names(it, truncate),
    Networks: Object.keys(it.NetworkSettings?.Networks ?? {}).join(","),
    Platform: null,
    Ports: portsText(it.Ports),
    RunningFor: ago(it.Created),
    Size: sizeText(it),
    State: it.State,
    Status: it.Status,
  };
  return withMethods(row, { Label: (name: Value) => labels[String(name)] ?? "" });
}

/** Fields that templates can call but JSON does not show. */
export function withMethods(
  row: Record<string, Value>,
  methods: Record<string, (...args: readonly Value[]) => Value>,
): Fields {
  for (const [name, value] of Object.entries(methods))
    Object.defineProperty(row, name, { value, enumerable: false });
  return row;
}

/** Labels as lists show them: `a=1,b=2`, by name. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.keys(labels)
    .sort()
    .map((name) => `${name}=${labels[name]}`)
    .join(",");
}

/** An image that lost its name is told by its id. */
function imageName(it: ContainerSummary, truncate: boolean): string {
  if (it.Image === "") return "<no image>";
  if (!truncate) return it.Image;
  const id = it.ImageID.replace(/^sha256:/, "");
  const name = it.Image.replace(/^sha256:/, "");
  return id.startsWith(name) && /^[0-9a-f]{12,}$/.test(name)
    ? shortId(it.Image)
    : it.Image.replace(/@sha256:.*/, "");
}

/** Names in other containers (links) have a second slash; they are left out of short lists. */
function names(it: ContainerSummary, truncate: boolean): string {
  const own = it.Names.map((name) => name.replace(/^\//, ""));
  return own.filter((name) => !truncate || !name.includes("/")).join(",");
}

function sizeText(it: ContainerSummary): string {
  const own = humanSize(it.SizeRw ?? 0);
  return it.SizeRootFs ? `${own} (virtual ${humanSize(it.SizeRootFs)})` : own;
}

/** `0.0.0.0:8080->80/tcp, 81-83/tcp`: neighbours that map alike become one range. */
export function portsText(ports: readonly PortSummary[]): string {
  const sorted = [...ports].sort(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      compare(a.IP ?? "", b.IP ?? "") ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      compare(a.Type, b.Type),
  );
  const groups = new Map<string, { readonly key: string; first: number; last: number }>();
  const told: string[] = [];
  // Those that another port of the host leads to come last, each by itself.
  const mapped: string[] = [];
  const flush = (it: { key: string; first: number; last: number }) => {
    const inner = it.first === it.last ? `${it.first}` : `${it.first}-${it.last}`;
    const [ip = "", type = ""] = it.key.split("/");
    return ip === "" ? `${inner}/${type}` : `${ip}:${inner}->${inner}/${type}`;
  };
  for (const port of sorted) {
    const host = port.IP === undefined ? "" : port.IP.includes(":") ? `[${port.IP}]` : port.IP;
    // Reached at the container's own address only: Docker writes a port 0 of the host.
    if (host !== "" && port.PublicPort !== port.PrivatePort) {
      mapped.push(`${host}:${port.PublicPort ?? 0}->${port.PrivatePort}/${port.Type}`);
      continue;
    }
    const key = `${host}/${port.Type}`;
    const open = groups.get(key);
    if (open && port.PrivatePort <= open.last + 1) open.last = port.PrivatePort;
    else {
      if (open) told.push(flush(open));
      groups.set(key, { key, first: port.PrivatePort, last: port.PrivatePort });
    }
  }
  return [...told, ...[...groups.values()].map(flush), ...mapped].join(", ");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
