import { isUserDefined, networkOf } from "../../container/endpoint.ts";
import { isUp } from "../../container/lifecycle.ts";
import { type NetNames, relinkNetFiles } from "../../container/netfiles.ts";
import type { ContainerRecord } from "../../container/record.ts";
import { containerOf } from "../../container/spec/mode.ts";
import { HOST_AND_LINKS } from "../../container/spec/validate-modes.ts";
import { linkEnvironment, parseLink } from "../../network/names/links.ts";
import { Refusal } from "../../oci/error.ts";
import type { HostConfig } from "../../wire/container.ts";
import type { Container } from "../container.ts";
import { find } from "../containers/find.ts";
import { findNamed } from "../containers/joined.ts";
import type { Context } from "../context.ts";
import { invalid } from "../refuse.ts";
import { namesFolder } from "./files.ts";
import { linked, parseKeptLink } from "./linkpath.ts";

/**
 * Links as they are kept, `/db:/app/store`; on networks that people made they belong to the network instead.
 * @param name of the container that has them
 * @throws Refusal (400): it is none, or the container is not there
 */
export function keptLinks(context: Context, name: string, host: HostConfig): readonly string[] | undefined {
  if (!host.Links?.length || isUserDefined(networkOf(host.NetworkMode))) return undefined;
  return host.Links.map((text) => {
    const link = parseLink(text);
    if (!link) throw invalid(`bad format for links: ${text.slice(0, 200)}`);
    const { record } = networkOwner(context, named(context, link.container));
    if (networkOf(record.host.NetworkMode) === "host") throw invalid(HOST_AND_LINKS);
    return `/${record.name}:/${name}/${link.alias}`;
  });
}

const named = (context: Context, reference: string): Container =>
  findNamed(context, reference, `could not get container for ${reference.slice(0, 200)}`);

/** The container whose network another one has in the end: it is the one that has an address. */
function networkOwner(context: Context, container: Container): Container {
  const seen = new Set<Container>();
  let owner = container;
  for (;;) {
    const donor = containerOf(owner.record.host.NetworkMode);
    // Names move on: two that were never started can name each other.
    if (donor === undefined || seen.has(owner)) return owner;
    seen.add(owner);
    owner = named(context, donor);
  }
}

interface Link {
  readonly alias: string;
  readonly child: ContainerRecord;
  readonly address: string;
}

/** @throws Refusal (409) when one of them does not run, unless those are passed over */
function linksOf(context: Context, record: ContainerRecord, lenient = false): readonly Link[] {
  const kept = isUserDefined(networkOf(record.host.NetworkMode)) ? [] : (record.host.Links ?? []);
  return kept.flatMap((text) => {
    const link = parseLink(text);
    if (!link) return [];
    if (lenient && context.names.holder(link.container) === undefined) return [];
    const child: Container = find(context, link.container);
    const live = child.record.endpoints.bridge?.live;
    const up = isUp(child.record.state.status);
    if (!up || !live?.ipv4) {
      if (lenient) return [];
      if (up) {
        throw new Refusal("failed", `container ${child.record.id} not attached to default bridge network`);
      }
      throw new Refusal(
        "conflict",
        `Cannot link to a non running container: /${child.record.name} AS /${record.name}/${link.alias}`,
      );
    }
    return [{ alias: link.alias, child: child.record, address: live.ipv4.address }];
  });
}

/** The containers that a container's hosts file names because of its links, as Docker writes them. */
export const linkedHosts = (context: Context, record: ContainerRecord, lenient = false): NetNames["links"] =>
  linksOf(context, record, lenient).map(({ alias, child, address }) => ({
    address,
    names: [...new Set([alias, child.config.Hostname ?? "", child.name])].filter((name) => name !== ""),
  }));

/** The variables that links add to a container's environment. */
export const linkedEnvironment = (
  context: Context,
  record: ContainerRecord,
  lenient = false,
): readonly string[] =>
  linksOf(context, record, lenient).flatMap(({ alias, child, address }) =>
    linkEnvironment({
      parent: record.name,
      alias,
      address,
      env: child.config.Env ?? [],
      exposed: child.config.ExposedPorts,
    }),
  );

/** What containers are called by those that are linked to them, by the name of the one that is called so. */
export function linkNames({ containers }: Context): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const { record } of containers.values()) {
    for (const text of record.host.Links ?? []) {
      const kept = parseKeptLink(text);
      if (!kept) continue;
      const called = `/${kept.parent}/${kept.alias}`;
      const known = names.get(kept.child);
      if (known) known.push(called);
      else names.set(kept.child, [called]);
    }
  }
  return names;
}

/**
 * Takes a link away (`rm --link store/db`); what runs goes on without the name in its hosts file.
 * @throws Refusal with Docker's sentences: no container is called so, or it is a container's own name
 */
export function unlink(context: Context, path: string): void {
  find(context, path);
  const found = linked(context, path);
  if (!found) throw new Refusal("failed", "Conflict, cannot remove the default link name of the container");
  const { record } = found.parent;
  const before = linkedHosts(context, record, true);
  const left = (record.host.Links ?? []).filter((link) => link !== found.link);
  record.host = { ...record.host, Links: left.length > 0 ? left : null };
  context.store.save(record);
  if (!isUp(record.state.status)) return;
  const after = linkedHosts(context, record, true);
  const kept = new Set(after.map(({ names }) => names.join(" ")));
  const gone = before.filter(({ names }) => !kept.has(names.join(" ")));
  relinkNetFiles(namesFolder(context, record), after, gone);
}

/** A container has started: those that are linked to it learn its address. */
export function tellParents(context: Context, { name }: ContainerRecord): void {
  for (const { record } of context.containers.values()) {
    if (!isUp(record.state.status) || !record.host.Links?.some((text) => text.startsWith(`/${name}:`)))
      continue;
    relinkNetFiles(namesFolder(context, record), linkedHosts(context, record, true));
  }
}
