import { readFileSync, writeFileSync } from "node:fs";
import type { ContainerConfig, HostConfig } from "../wire/container.ts";
import { shortId } from "./id.ts";

/** The files about names and networks that are mounted into a container. */
export interface NetFiles {
  readonly hostname: string;
  readonly hosts: string;
  readonly resolvConf: string;
}

/** Where they are for the container with this folder. */
export const netFilesOf = (folder: string): NetFiles => ({
  hostname: `${folder}/hostname`,
  hosts: `${folder}/hosts`,
  resolvConf: `${folder}/resolv.conf`,
});

/** Writes the three for one start; what the last start's container changed in them is gone, as in Docker. */
export function writeNetFiles(folder: string, id: string, config: ContainerConfig, host: HostConfig): void {
  const files = netFilesOf(folder);
  const shared = host.NetworkMode === "host";
  const name = config.Hostname || shortId(id);
  writeFileSync(files.hostname, `${name}\n`, { mode: 0o644 });
  writeFileSync(files.hosts, hostsText(name, config.Domainname ?? "", host, shared), { mode: 0o644 });
  writeFileSync(files.resolvConf, resolvText(host, shared), { mode: 0o644 });
}

const HOSTS = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

function hostsText(name: string, domain: string, host: HostConfig, shared: boolean): string {
  let text = shared ? (read("/etc/hosts") ?? HOSTS) : HOSTS;
  if (!text.endsWith("\n")) text += "\n";
  for (const entry of host.ExtraHosts ?? []) {
    // `name:address`; an IPv6 address has colons of its own.
    const [alias, address] = splitOnce(entry.replace("=", ":"));
    text += `${address === "host-gateway" ? "127.0.0.1" : address.replace(/^\[|\]$/g, "")}\t${alias}\n`;
  }
  // Without a network the only address is the loopback's.
  if (!shared) text += `127.0.1.1\t${domain ? `${name}.${domain} ` : ""}${name}\n`;
  return text;
}

function resolvText(host: HostConfig, shared: boolean): string {
  const servers = host.Dns ?? [];
  const search = host.DnsSearch ?? [];
  const options = host.DnsOptions ?? [];
  const lines = (read("/etc/resolv.conf") ?? "").split("\n").map((line) => line.trim());
  const kept = (word: string): string[] => lines.filter((line) => line.split(/\s+/)[0] === word);
  const out: string[] = [];
  if (servers.length > 0) out.push(...servers.map((server) => `nameserver ${server}`));
  else out.push(...kept("nameserver").filter((line) => shared || !/\s(127\.|::1$)/.test(line)));
  // Docker: a single dot is no search list.
  if (search.length > 0) {
    const domains = search.filter((domain) => domain !== ".");
    if (domains.length > 0) out.push(`search ${domains.join(" ")}`);
  } else out.push(...kept("search"));
  out.push(...(options.length > 0 ? [`options ${options.join(" ")}`] : kept("options")));
  return out.length > 0 ? `${out.join("\n")}\n` : "";
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(":");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
