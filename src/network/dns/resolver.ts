import { codeOf, Refusal, reasonOf } from "../../oci/error.ts";
import type { Listener } from "../ports/bind.ts";
import { isV6 } from "../ports/published.ts";
import { localAnswer } from "./answer.ts";
import { forward } from "./forward.ts";
import { listenTcp, listenUdp, type Respond } from "./listen.ts";
import { createMemory } from "./memory.ts";
import { failure, loadCodec, type Query, RCODE, readQuery, respond } from "./packet.ts";
import type { Names, NamesView } from "./view.ts";

/** The engine's resolver: it answers containers on the gateway addresses of their networks. */
export interface Resolver {
  /**
   * Answers at a place of the host from now on; of the same place twice, the second is nothing.
   * @param port 53 where it is absent, or what the options say
   * @throws Refusal when somebody else answers there
   */
  listen(address: string, port?: number): Promise<void>;
  /** Answers at an address no longer. */
  leave(address: string): void;
  close(): void;
}

export interface ResolverOptions {
  readonly names: Names;
  /** Another number each time that any name has changed; without it nothing is remembered. */
  readonly version?: () => number;
  /** 53; another only in tests. */
  readonly port?: number;
  /** The port of other servers. */
  readonly upstreamPort?: number;
  /** Milliseconds that one server has. */
  readonly patience?: number;
}

/** Queries that wait for other servers, of all containers and of one: more are told to try again. */
const MAX_WAITING = 1024;
const MAX_WAITING_EACH = 128;
const NO_LIMIT = 65535;

/** Answers nowhere yet. */
export function createResolver(options: ResolverOptions): Resolver {
  const { names, port: usual = 53, upstreamPort = 53, patience, version } = options;
  /** By address and port. */
  const listening = new Map<string, Promise<readonly Listener[]>>();
  const waiting = new Map<string, number>();
  const memory = version && createMemory(version);
  let total = 0;
  let codec: Awaited<ReturnType<typeof loadCodec>> | undefined;

  const elsewhere = async (query: Query, asker: string, view: NamesView, transport: "udp" | "tcp") => {
    // Our own addresses among them (the host asks itself, or `--dns` names a gateway) would lead back here.
    const servers = view.upstream.filter((server) => !listening.has(placeOf(server, usual)));
    const say = (rcode: 2 | 3) => (codec ? respond(codec, query, rcode, [], NO_LIMIT) : null);
    // Nothing outside can be reached from there: what we do not know does not exist.
    if (servers.length === 0) return say(RCODE.noSuchName);
    const own = waiting.get(asker) ?? 0;
    if (total >= MAX_WAITING || own >= MAX_WAITING_EACH) return say(RCODE.failed);
    total++;
    waiting.set(asker, own + 1);
    try {
      const answer = await forward(query.bytes, transport, { servers, port: upstreamPort }, patience);
      return answer ?? say(RCODE.failed);
    } finally {
      total--;
      const left = (waiting.get(asker) ?? 1) - 1;
      if (left > 0) waiting.set(asker, left);
      else waiting.delete(asker);
    }
  };

  const answer: Respond = (message, asker, transport) => {
    const again = transport === "udp" ? memory?.recall(asker, message) : undefined;
    if (again) return again;
    if (!codec) {
      return loadCodec().then((loaded) => {
        codec = loaded;
        return answer(message, asker, transport);
      });
    }
    const view = names(asker);
    // Strangers: whoever routes packets to a gateway address from elsewhere, and the host itself.
    if (!view) return message.length >= 12 && !(message[2]! & 0x80) ? failure(message, RCODE.refused) : null;
    const query = readQuery(codec, message);
    if (query === null || Buffer.isBuffer(query)) return query;
    const records = localAnswer(view, query);
    const limit = transport === "udp" ? query.udpSize : NO_LIMIT;
    if (records) {
      const found = respond(codec, query, RCODE.ok, records, limit);
      // Of several addresses each gets its turn.
      if (transport === "udp" && records.length < 2) memory?.keep(asker, message, found);
      return found;
    }
    return elsewhere(query, asker, view, transport);
  };

  const open = async (address: string, port: number): Promise<readonly Listener[]> => {
    void loadCodec().then((loaded) => {
      codec = loaded;
    });
    const udp = await listenUdp(address, port, answer);
    try {
      return [udp, await listenTcp(address, port, answer)];
    } catch (error) {
      udp.close();
      throw error;
    }
  };

  const leave = (place: string): void => {
    const opened = listening.get(place);
    listening.delete(place);
    opened?.then(
      (sockets) => {
        for (const socket of sockets) socket.close();
      },
      () => undefined,
    );
  };

  return {
    async listen(address, port = usual) {
      const place = placeOf(address, port);
      const opening = listening.get(place) ?? open(address, port);
      listening.set(place, opening);
      try {
        await opening;
      } catch (error) {
        if (listening.get(place) === opening) listening.delete(place);
        throw refused(place, error);
      }
    },
    leave(address) {
      for (const place of [...listening.keys()]) if (isAt(place, address)) leave(place);
    },
    close() {
      for (const place of [...listening.keys()]) leave(place);
    },
  };
}

const placeOf = (address: string, port: number): string =>
  isV6(address) ? `[${address}]:${port}` : `${address}:${port}`;
const isAt = (place: string, address: string): boolean =>
  place.startsWith(isV6(address) ? `[${address}]:` : `${address}:`);

function refused(where: string, error: unknown): Refusal {
  const hint =
    codeOf(error) === "EADDRINUSE"
      ? "another program answers there; tell it to leave the addresses of container networks out"
      : reasonOf(error);
  return new Refusal("failed", `Cannot answer names on ${where}: ${hint}`, { cause: error });
}
