import type { Exchange } from "./http/exchange.ts";

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "DELETE";

/** What a handler gets: the exchange and what the path's `{…}` stood for. */
export type RouteHandler<Context> = (
  context: Context,
  exchange: Exchange,
  parameters: Readonly<Record<string, string>>,
) => Promise<void> | void;

/**
 * One route. `/containers/{id}/start`; `{name...}` takes one segment or more (image names have slashes).
 */
export interface Route<Context> {
  readonly method: Method;
  readonly path: string;
  readonly handle: RouteHandler<Context>;
}

export interface Match<Context> {
  readonly handle: RouteHandler<Context>;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Router<Context> {
  /** @param path decoded @returns null when no route has method and path: Docker tells the two apart no more */
  find(method: string, path: string): Match<Context> | null;
}

interface Compiled<Context> {
  readonly route: Route<Context>;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

/** A router of these routes; where two have the path, the first wins. */
export function createRouter<Context>(routes: readonly Route<Context>[]): Router<Context> {
  // By the first segment: a request is compared with a few routes only.
  const byFirst = new Map<string, Compiled<Context>[]>();
  for (const route of routes) {
    const names: string[] = [];
    const source = route.path.replace(/\{([a-z]+)(\.\.\.)?\}/g, (_, name: string, many?: string) => {
      names.push(name);
      return many ? "(.+)" : "([^/]+)";
    });
    const first = route.path.split("/")[1]!;
    const list = byFirst.get(first) ?? [];
    list.push({ route, pattern: new RegExp(`^${source}$`), names });
    byFirst.set(first, list);
  }

  return {
    find(method, path) {
      for (const { route, pattern, names } of byFirst.get(path.split("/", 2)[1] ?? "") ?? []) {
        if (route.method !== method) continue;
        const match = pattern.exec(path);
        if (!match) continue;
        const parameters: Record<string, string> = {};
        for (const [index, name] of names.entries()) {
          parameters[name] = match[index + 1]!;
        }
        return { handle: route.handle, parameters };
      }
      return null;
    },
  };
}
