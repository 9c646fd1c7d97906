import { unsupported } from "../engine/refuse.ts";
import { Refusal } from "../oci/error.ts";
import { build } from "./resources/build.ts";
import { cais } from "./resources/cais.ts";
import { containers } from "./resources/containers.ts";
import { execs } from "./resources/exec.ts";
import { files } from "./resources/files.ts";
import { images } from "./resources/images.ts";
import { networks } from "./resources/networks.ts";
import { stats } from "./resources/stats.ts";
import { streams } from "./resources/streams.ts";
import { system } from "./resources/system.ts";
import { volumes } from "./resources/volumes.ts";
import { get, post, type Route } from "./route.ts";

const noSwarm = (): never => {
  throw new Refusal(
    "failed",
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
};

/** Parts of the API that a single machine has no use for, answered as by an engine that is in no swarm. */
const swarm: readonly Route[] = [
  ...["/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs"].map((path) => get(path, noSwarm)),
  get("/plugins", (_, exchange) => exchange.reply(200, "[]\n")),
  post("/session", () => {
    throw unsupported("BuildKit is not supported: the classic builder is used instead");
  }),
];

/** Every route of the API; where two patterns fit, the first one wins. */
export const routes: readonly Route[] = [
  ...system,
  ...containers,
  ...streams,
  ...stats,
  ...files,
  ...execs,
  ...images,
  ...volumes,
  ...networks,
  ...build,
  ...cais,
  ...swarm,
];
