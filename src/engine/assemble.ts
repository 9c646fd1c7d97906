import { createHash } from "node:crypto";
import { join } from "node:path";
import { readLayout } from "../cgroup/layout.ts";
import { prepareParent } from "../cgroup/parent.ts";
import { createLauncher } from "../container/keeper/launcher.ts";
import { now } from "../container/time.ts";
import { createImages } from "../image/open.ts";
import { createFirewall } from "../network/firewall/firewall.ts";
import { openNetworks } from "../network/networks.ts";
import type { Digest } from "../oci/digest.ts";
import { holdPlan, runPlan } from "../plan/run.ts";
import type { Plan } from "../plan/step.ts";
import type { RunPlan } from "../storage/kernel.ts";
import { openVolumes } from "../volume/volumes.ts";
import { createEngine, type Engine } from "./engine.ts";
import { imageUsers } from "./images/images.ts";
import { createLinks } from "./networks/links.ts";
import { createHostPorts } from "./networks/ports.ts";
import { volumeUsers } from "./volumes.ts";

export interface AssembleOptions {
  /** State that lasts. */
  readonly root: string;
  /** State of what runs. */
  readonly run: string;
  /** Receives one line for whoever runs the engine. */
  readonly report: (message: string) => void;
}

/** The real pieces: storage and images below the root, the launcher with its keepers, the machine's cgroups. */
export async function assemble({
  root,
  run,
  report,
}: AssembleOptions): Promise<{ readonly engine: Engine; close(): void }> {
  const layout = readLayout();
  const cgroups = prepareParent(layout);
  const programs = join(root, "programs");
  const runHere: RunPlan = (plan) => runPlan(plan, { directory: programs });
  const launcher = await createLauncher({ run, programs, layout });
  // The images ask who uses them, the engine is made of images: the question comes after both are there.
  let engine: Engine | undefined;
  const images = await createImages({
    root,
    runPlan: runHere,
    hidden: [root, run],
    usedBy: (id: Digest) => (engine ? imageUsers(engine, id) : []),
    onEvent: (event, id, attributes) => engine?.events.emit("image", event, id, attributes),
  });
  const volumes = openVolumes({
    root,
    runPlan: runHere,
    usedBy: (name) => (engine ? volumeUsers(engine, name) : []),
  });
  const networks = openNetworks(root, now());
  for (const problem of [...images.damaged(), ...volumes.damaged(), ...networks.damaged]) report(problem);
  const ports = createHostPorts(report);
  const owner = createHash("sha256").update(root).digest("hex").slice(0, 12);
  const firewall = createFirewall(runHere, owner);
  const links = createLinks({
    run,
    runPlan: runHere,
    firewall,
    published: ports.translated,
  });
  const holdHere = (plan: Plan) => holdPlan(plan, programs);
  engine = await createEngine({
    root,
    run,
    runPlan: runHere,
    holdPlan: holdHere,
    images,
    volumes,
    networks,
    owner,
    links,
    ports,
    firewall,
    launcher,
    cgroups,
    report,
  });
  return { engine, close: () => launcher.close() };
}
