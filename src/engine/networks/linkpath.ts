import type { Container } from "../container.ts";
import type { Context } from "../context.ts";

/** A link as it is kept, `/db:/store/cache`: `store` calls `db` its `cache`. Names without their slash. */
export interface KeptLink {
  readonly child: string;
  readonly parent: string;
  readonly alias: string;
}

/** @returns null for links of networks that people made: those belong to the network */
export function parseKeptLink(text: string): KeptLink | null {
  const [, child, parent, alias] = /^\/([^:/]+):\/([^:/]+)\/([^:]+)$/s.exec(text) ?? [];
  return child === undefined || parent === undefined || alias === undefined ? null : { child, parent, alias };
}

/** Who is called `store/cache` by another container, and by which. */
export function linked(
  { containers, names }: Pick<Context, "containers" | "names">,
  path: string,
): { readonly parent: Container; readonly child: Container; readonly link: string } | null {
  const [, called = "", alias] = /^\/?([^/]+)\/(.+)$/s.exec(path) ?? [];
  const named = (name: string): Container | undefined => {
    const id = names.holder(name);
    return id && containers.get(id);
  };
  const parent = alias === undefined ? undefined : named(called);
  for (const link of parent?.record.host.Links ?? []) {
    const kept = parseKeptLink(link);
    const child = kept?.alias === alias ? named(kept?.child ?? "") : undefined;
    if (parent && child) return { parent, child, link };
  }
  return null;
}

/** A container has another name: links from it and to it follow. */
export function renameLinks({ containers, store }: Context, before: string, after: string): void {
  for (const { record } of containers.values()) {
    const links = record.host.Links ?? [];
    const next = links.map((text) => {
      const kept = parseKeptLink(text);
      if (kept?.child !== before && kept?.parent !== before) return text;
      const named = (name: string): string => (name === before ? after : name);
      return `/${named(kept.child)}:/${named(kept.parent)}/${kept.alias}`;
    });
    if (next.every((text, index) => text === links[index])) continue;
    record.host = { ...record.host, Links: next };
    store.save(record);
  }
}
