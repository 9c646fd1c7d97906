import type { Parent } from "../cgroup/parent.ts";
import type { HealthCheck } from "../container/health/check.ts";
import type { ContainerId, ExecId } from "../container/id.ts";
import type { Launcher } from "../container/launcher.ts";
import type { Names } from "../container/names.ts";
import type { ContainerStore } from "../container/store.ts";
import type { Images } from "../image/images.ts";
import type { Owner } from "../network/firewall/owner.ts";
import type { Firewall } from "../network/firewall/types.ts";
import type { Networks } from "../network/networks.ts";
import type { Reservations } from "../network/reservations.ts";
import type { Held } from "../plan/run.ts";
import type { Plan } from "../plan/step.ts";
import type { RunPlan } from "../storage/kernel.ts";
import type { Volumes } from "../volume/volumes.ts";
import type { HealthResult } from "../wire/inspect.ts";
import type { Container } from "./container.ts";
import type { Events } from "./events.ts";
import type { Exec } from "./execs/exec.ts";
import type { Remembered } from "./networks/announce.ts";
import type { Insides } from "./networks/insides.ts";
import type { Links } from "./networks/links.ts";
import type { Naming } from "./networks/naming.ts";
import type { HostPorts } from "./networks/ports.ts";
import type { VolumeMounts } from "./volume-mounts.ts";

/** What every operation of the engine works on. */
export interface Context {
  /** State that lasts: `/var/lib/cais`. */
  readonly root: string;
  /** State of what runs: `/run/cais`. */
  readonly run: string;
  /** What `info` warns of besides what the machine lacks: addresses that let everybody in. */
  readonly warnings: string[];
  /** Its programs are below the root: a place that allows execution and that nobody else can write to. */
  readonly runPlan: RunPlan;
  /** Runs a plan whose program stays where it is until it is closed. */
  readonly holdPlan: (plan: Plan) => Promise<Held>;
  readonly store: ContainerStore;
  readonly containers: Map<ContainerId, Container>;
  readonly names: Names;
  readonly execs: Map<ExecId, Exec>;
  readonly images: Images;
  readonly volumes: Volumes;
  readonly networks: Networks;
  /** What stands for this root in a network namespace that others work in, too. */
  readonly owner: Owner;
  /** Who has which address now. */
  readonly reservations: Reservations;
  /** What the host has of the networks. */
  readonly links: Links;
  /** The rules of the networks, as the kernel has them. */
  readonly firewall: Firewall;
  /** Ports of the host that lead to containers. */
  readonly ports: HostPorts;
  /** Interfaces that the engine removes from containers that have ended. */
  readonly insides: Insides;
  /** Names of containers on networks. */
  readonly naming: Naming;
  /** What neighbours of containers may remember. */
  readonly remembered: Remembered;
  readonly volumeMounts: VolumeMounts;
  readonly launcher: Launcher;
  readonly events: Events;
  /** The cgroup that all containers are in. */
  readonly cgroups: Parent;
  /** What a container's life leads to by itself. Here, because these operations lead to each other. */
  readonly follow: {
    restart(container: Container): Promise<unknown>;
    /** `--rm`: with its anonymous volumes. */
    remove(container: Container): Promise<void>;
    /** One health check. Never rejects. */
    probe(container: Container, check: HealthCheck, cancelled: AbortSignal): Promise<HealthResult>;
  };
  /** One line for whoever runs the engine. */
  report(message: string): void;
}
