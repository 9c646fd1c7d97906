import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import {
  readDocument,
  removeDocument,
  syncDirectory,
  TEMPORARY,
  writeDocument,
} from "../storage/document.ts";
import { isNetworkId, type NetworkDocument, type NetworkId, parseNetwork } from "./document.ts";

/** The networks of one engine on disk, `<root>/networks/<id>/network.json`, and in memory. */
export interface NetworkStore {
  /** In the order in which they were made. */
  all(): readonly NetworkDocument[];
  byId(id: string): NetworkDocument | undefined;
  byName(name: string): NetworkDocument | undefined;
  /** On the disk when it returns. Idempotent. */
  save(network: NetworkDocument): void;
  /** Gone for good when it returns. */
  remove(id: NetworkId): void;
  /** Documents that are not believed; they stay for a person to look at. */
  readonly damaged: readonly string[];
}

const REMOVED = ".removed";

/** Opens the networks below a root directory and removes what an earlier process left half made. */
export function openNetworkStore(root: string): NetworkStore {
  const base = join(root, "networks");
  const removed = join(base, REMOVED);
  fs.rmSync(removed, { recursive: true, force: true });
  fs.mkdirSync(removed, { recursive: true, mode: 0o700 });
  const path = (id: string): string => join(base, id, "network.json");
  const known = new Map<string, NetworkDocument>();
  const damaged: string[] = [];
  for (const id of fs.readdirSync(base)) {
    if (!isNetworkId(id)) continue;
    fs.rmSync(`${path(id)}${TEMPORARY}`, { force: true });
    try {
      const json = readDocument(path(id));
      // Its maker died before the document was there: nothing is lost.
      if (json === undefined) fs.rmSync(join(base, id), { recursive: true, force: true });
      else known.set(id, parseNetwork(json, id));
    } catch (error) {
      damaged.push(error instanceof Error ? error.message : String(error));
    }
  }
  const ordered = [...known.values()].sort((a, b) => (a.created < b.created ? -1 : 1));
  const byId = new Map<string, NetworkDocument>(ordered.map((network) => [network.id, network]));
  return {
    all: () => [...byId.values()],
    byId: (id) => byId.get(id),
    byName: (name) => byId.values().find((network) => network.name === name),
    save(network) {
      const folder = join(base, network.id);
      const isNew = !fs.existsSync(folder);
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeDocument(path(network.id), network, { sync: true });
      if (isNew) syncDirectory(base);
      byId.set(network.id, network);
    },
    remove(id) {
      removeDocument(path(id));
      byId.delete(id);
      const doomed = join(removed, randomBytes(8).toString("hex"));
      fs.renameSync(join(base, id), doomed);
      fs.rmSync(doomed, { recursive: true, force: true });
    },
    damaged,
  };
}
