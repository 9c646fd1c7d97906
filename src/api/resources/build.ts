import { buildFrom } from "../../engine/images/build.ts";
import { invalid, notANumber, unsupported } from "../../engine/refuse.ts";
import { createRequest } from "../../engine/requests.ts";
import { hostPlatform, isFor, parsePlatform, platformText } from "../../oci/platform.ts";
import type { HostConfig } from "../../wire/container.ts";
import { replyJson } from "../failure.ts";
import type { Exchange } from "../http/exchange.ts";
import { filters, flag, integer } from "../request.ts";
import { post, type Route } from "../route.ts";
import { progress } from "./images.ts";

/** Building images, as the classic builder does. */
export const build: readonly Route[] = [
  post("/build", async (engine, exchange) => {
    const { query } = exchange;
    if (query.get("version") === "2")
      throw unsupported("BuildKit is not supported: build with DOCKER_BUILDKIT=0");
    if (query.get("remote")) throw unsupported("Cannot build from an address: send the context as the body");
    if (flag(exchange, "squash"))
      throw unsupported("Cannot squash: the layers of a build stay as they are made");
    const platform = query.get("platform") ?? "";
    if (!isFor(parsePlatform(platform), hostPlatform()))
      throw unsupported(`Cannot build for ${platform}: this machine is ${platformText(hostPlatform())}`);
    const dockerfile = query.get("dockerfile");
    const target = query.get("target");
    const quiet = flag(exchange, "q");
    const host = buildHost(exchange);
    await progress(exchange, async (send) => {
      const kept = quiet ? keeper(send) : undefined;
      const id = await buildFrom(engine, exchange.body.stream(), {
        tags: query.getAll("t").filter((tag) => tag !== ""),
        args: texts(exchange, "buildargs"),
        labels: texts(exchange, "labels"),
        noCache: flag(exchange, "nocache"),
        cacheFrom: list(exchange, "cachefrom").filter((name) => typeof name === "string"),
        host,
        // Old clients do not say it, and mean yes.
        remove: {
          after: query.get("rm") === null || flag(exchange, "rm") || flag(exchange, "forcerm"),
          failed: flag(exchange, "forcerm"),
        },
        cancelled: exchange.gone,
        ...(dockerfile ? { dockerfile } : {}),
        ...(target ? { target } : {}),
        progress: kept?.keep ?? send,
      }).catch((error: unknown) => {
        kept?.send();
        throw error;
      });
      if (quiet) send({ stream: `${id}\n` });
    });
  }),
  post("/build/prune", (engine, exchange) => {
    const known = [
      "until",
      "id",
      "parent",
      "type",
      "description",
      "inuse",
      "shared",
      "private",
      "mutable",
      // Those of containers and images: `docker system prune` sends them to everybody.
      "label",
      "label!",
      "immutable",
    ];
    for (const name of ["keep-storage", "reserved-space", "max-used-space", "min-free-space"]) {
      const text = exchange.query.get(name) ?? "";
      if (text === "" || /^[-+]?\d+$/.test(text)) continue;
      const why = notANumber("Atoi", text).message;
      throw invalid(`${name} is in bytes and expects an integer, got ${text.slice(0, 80)}: ${why}`);
    }
    const unknown = Object.keys(filters(exchange)).find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw invalid(`failed to prune build cache: invalid filter '${unknown.slice(0, 80)}'`);
    engine.events.emit("builder", "prune", "", { reclaimed: "0" });
    replyJson(exchange, { CachesDeleted: null, SpaceReclaimed: 0 });
  }),
];

/** Messages of a quiet build that are kept at most, in bytes: the last ones say why it failed. */
const KEPT_MAX = 1024 * 1024;

/** A quiet build says what it did only when it fails. */
function keeper(send: (message: object) => void): { keep(message: object): void; send(): void } {
  const messages: object[] = [];
  let bytes = 0;
  return {
    keep(message) {
      messages.push(message);
      bytes += JSON.stringify(message).length;
      while (bytes > KEPT_MAX && messages.length > 1) bytes -= JSON.stringify(messages.shift()).length;
    },
    send() {
      for (const message of messages) send(message);
    },
  };
}

/** What the containers of RUN are given: limits and the like. @throws Refusal (400) */
function buildHost(exchange: Exchange): HostConfig {
  const { query } = exchange;
  const numbers = {
    Memory: integer(exchange, "memory"),
    MemorySwap: integer(exchange, "memswap"),
    CpuShares: integer(exchange, "cpushares"),
    CpuPeriod: integer(exchange, "cpuperiod"),
    CpuQuota: integer(exchange, "cpuquota"),
    ShmSize: integer(exchange, "shmsize"),
  };
  const words = {
    CpusetCpus: query.get("cpusetcpus"),
    CpusetMems: query.get("cpusetmems"),
    CgroupParent: query.get("cgroupparent"),
    NetworkMode: query.get("networkmode"),
  };
  const lists = {
    Ulimits: list(exchange, "ulimits"),
    SecurityOpt: list(exchange, "securityopt"),
    ExtraHosts: query
      .getAll("extrahosts")
      .flatMap((hosts) => hosts.split(","))
      .filter((host) => host !== ""),
  };
  const given = Object.entries({ ...numbers, ...words, ...lists }).filter(
    ([, value]) => value && (!Array.isArray(value) || value.length > 0),
  );
  const host = Object.fromEntries(given);
  createRequest({ HostConfig: host });
  return host;
}

/** A parameter that is a JSON list. */
function list(exchange: Exchange, name: string): readonly unknown[] {
  const text = exchange.query.get(name);
  if (!text || text === "null") return [];
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value;
  } catch {
    // Refused below.
  }
  throw invalid(`invalid value for ${name}: it is not a JSON list`);
}

/** A parameter that is JSON of name → text; names without a value are left out. */
function texts(exchange: Exchange, name: string): Record<string, string> {
  const text = exchange.query.get(name);
  if (!text) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("not an object");
    return Object.fromEntries(Object.entries(value).filter(([, one]) => typeof one === "string"));
  } catch {
    throw invalid(`invalid value for ${name}: it is not a JSON object of texts`);
  }
}
