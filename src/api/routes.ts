import { build } from "./resources/build.ts";
import { cais } from "./resources/cais.ts";
import { containers } from "./resources/containers.ts";
import { execs } from "./resources/exec.ts";
import { files } from "./resources/files.ts";
import { images } from "./resources/images.ts";
import { networks } from "./resources/networks.ts";
import { stats } from "./resources/stats.ts";
import { streams } from "./resources/streams.ts";
import { others } from "./resources/swarm.ts";
import { system } from "./resources/system.ts";
import { volumes } from "./resources/volumes.ts";
import type { Route } from "./route.ts";

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
  ...others,
];
