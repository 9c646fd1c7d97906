// Safe beside other test files.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { needs } from "../../support/skip.ts";
import { tell } from "./differ.ts";
import { type Peers, peersMissing, startPeers } from "./peers.ts";
import { compare } from "./run.ts";
import { attaching } from "./tables/attaching.ts";
import { bodies } from "./tables/bodies.ts";
import { bridges } from "./tables/bridges.ts";
import { building } from "./tables/building.ts";
import { creating } from "./tables/creating.ts";
import { executing } from "./tables/executing.ts";
import { files } from "./tables/files.ts";
import { filtering } from "./tables/filtering.ts";
import { images } from "./tables/images.ts";
import { joining } from "./tables/joining.ts";
import { linking } from "./tables/linking.ts";
import { listing } from "./tables/listing.ts";
import { living } from "./tables/living.ts";
import { logging, statistics } from "./tables/logging.ts";
import { networks } from "./tables/networks.ts";
import { system } from "./tables/system.ts";
import { telling } from "./tables/telling.ts";
import { versions } from "./tables/versions.ts";
import { volumes } from "./tables/volumes.ts";

/**
 * The same requests to a real dockerd and to cais: status, types, bodies, errors and events must be alike but for
 * what must differ (`normal.ts`) and what a table says may, with its reason.
 */
const TABLES = {
  system,
  bodies,
  creating,
  versions,
  living,
  telling,
  filtering,
  listing,
  linking,
  attaching,
  logging,
  executing,
  files,
  statistics,
  images,
  building,
  volumes,
  networks,
  bridges,
  joining,
};
const missing = peersMissing();
let peers: Peers;
before(async () => {
  if (missing === undefined) peers = await startPeers();
});
after(async () => {
  if (missing === undefined) await peers[Symbol.asyncDispose]();
});

for (const [resource, table] of Object.entries(TABLES)) {
  describe(resource, () => {
    for (const one of table) {
      test(one.name, needs(missing), async () => {
        const found = await compare(peers.docker, peers.cais, one);
        assert.equal(found.length, 0, `Docker and cais differ:\n${tell(found)}`);
      });
    }
  });
}
