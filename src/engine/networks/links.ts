import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NetworkDocument } from "../../network/document.ts";
import { hostLink } from "../../network/drivers/host-link.ts";
import type { Firewall, PublishedPort } from "../../network/firewall/types.ts";
import { linkExists } from "../../network/host.ts";
import { lookPlan, readLook } from "../../network/wires/look.ts";
import { removeLinkPlan } from "../../network/wires/parent.ts";
import { Refusal, reasonOf } from "../../oci/error.ts";
import { StepError } from "../../plan/error.ts";
import type { RunPlan } from "../../storage/kernel.ts";
import { firewallState } from "./firewall.ts";

/** What the host has of our networks: bridges and rules. They are made when they are first needed. */
export interface Links {
  /**
   * Bridges and rules of these networks are there when it resolves; at once for those known to be.
   * @throws Refusal with a sentence that says what to do; nothing is left then
   */
  ensure(networks: readonly NetworkDocument[]): Promise<void>;
  /** A bridge turned out to be gone: the next `ensure` makes it again. */
  forget(network: NetworkDocument): void;
  /** Removes a network's bridge and rules. */
  remove(network: NetworkDocument): Promise<void>;
  /** Makes the rules what they should be now that published ports have changed. */
  refresh(): Promise<void>;
  /** Whether somebody else has an interface of the name that the network's bridge is to have. */
  isTaken(network: NetworkDocument): Promise<boolean>;
  /** Whether the host has the network's bridge, as far as is known. */
  has(network: NetworkDocument): boolean;
  /**
   * Takes up what an earlier engine left: bridges of networks that are gone go, those that are missing are made, and
   * all rules are made anew in one batch.
   * @param networks whose bridges are to be there
   * @param failed hears of bridges that could not be made
   * @returns the networks whose bridges were made
   */
  restore(
    networks: readonly NetworkDocument[],
    failed: (network: NetworkDocument, error: unknown) => void,
  ): Promise<readonly NetworkDocument[]>;
  /** Removes bridges that nobody uses, and with the last of them the rules. */
  removeUnused(inUse: (network: NetworkDocument) => boolean): Promise<void>;
}

export interface LinksOptions {
  /** The engine's run directory; which bridges are ours is noted in it. */
  readonly run: string;
  readonly runPlan: RunPlan;
  readonly firewall: Firewall;
  readonly published: () => readonly PublishedPort[];
}

/** The links of one engine, none so far. */
export function createLinks({ run, runPlan, firewall, published }: LinksOptions): Links {
  const notes = join(run, "links");
  mkdirSync(notes, { recursive: true, mode: 0o700 });
  /** Networks whose bridge is there, by id. */
  const made = new Map<string, NetworkDocument>();
  const making = new Map<string, Promise<void>>();
  /** What the rules were made from; nothing before there was anything. */
  let rules = JSON.stringify(firewallState([], []));
  let applying: Promise<void> = Promise.resolve();

  const nameOf = (network: NetworkDocument): string | undefined => hostLink(network)?.name;
  const isShared = (name: string): boolean => made.values().some((other) => nameOf(other) === name);
  /** Only what is noted is ours: a parent that was there before stays. */
  const removeLink = async (name: string): Promise<void> => {
    if (!existsSync(join(notes, name)) || isShared(name)) return;
    await runPlan(removeLinkPlan(name));
    rmSync(join(notes, name), { force: true });
  };

  /** Rules that did not change are not sent. One after the other: the last state wins. */
  const refresh = (): Promise<void> => {
    const work = async (): Promise<void> => {
      const state = firewallState([...made.values()], published());
      const text = JSON.stringify(state);
      if (text === rules) return;
      await firewall.apply(state);
      rules = text;
    };
    const result = applying.then(work);
    applying = result.catch(() => undefined);
    return result;
  };

  /** One of ours without a note, which has no ports: the run directory was lost, or a script of ours made it. */
  const isLeftover = async (name: string): Promise<boolean> => {
    const found = readLook((await runPlan(lookPlan([]))).output).get(0)?.links ?? [];
    const link = found.find((each) => each.name === name);
    return (
      link?.kind === "bridge" &&
      link.mac.startsWith("02:42:") &&
      !found.some((each) => each.master === link.index) &&
      !(await firewall.bridgesOfOthers()).includes(name)
    );
  };

  const lay = async (network: NetworkDocument): Promise<void> => {
    const link = hostLink(network);
    if (link === null) return;
    const { anyones, name, plan } = link;
    // Noted first: an engine that is killed in between leaves a note of nothing, never a link without a note.
    const note = join(notes, name);
    if (anyones && linkExists(name)) return void made.set(network.id, network);
    writeFileSync(note, network.id, { mode: 0o600 });
    try {
      await runPlan(plan()).catch(async (error: unknown) => {
        const exists = error instanceof StepError && error.errno === "EEXIST";
        if (!exists || !(await isLeftover(name))) throw error;
        await runPlan(removeLinkPlan(name));
        return runPlan(plan());
      });
    } catch (error) {
      // It has undone itself; an interface of that name that is still there is somebody else's.
      rmSync(note, { force: true });
      throw explained(network, error);
    }
    made.set(network.id, network);
  };

  const make = async (network: NetworkDocument): Promise<void> => {
    await lay(network);
    try {
      await refresh();
    } catch (error) {
      made.delete(network.id);
      const name = nameOf(network);
      if (name !== undefined) await removeLink(name).catch(() => undefined);
      throw explained(network, error);
    }
  };

  const isMissing = (network: NetworkDocument): boolean =>
    !network.configOnly && !made.has(network.id) && nameOf(network) !== undefined;

  const links: Links = {
    async ensure(networks) {
      for (const network of networks.filter(isMissing)) {
        const before = making.get(network.id);
        const work = before ?? make(network).finally(() => making.delete(network.id));
        making.set(network.id, work);
        await work;
      }
    },
    forget: ({ id }) => void made.delete(id),
    async remove(network) {
      const name = nameOf(network);
      if (name === undefined || !made.delete(network.id)) return;
      await removeLink(name);
      await refresh();
    },
    refresh,
    async isTaken(network) {
      const name = nameOf(network);
      if (name === undefined || made.has(network.id) || !linkExists(name)) return false;
      return !existsSync(join(notes, name)) && !(await isLeftover(name));
    },
    has: ({ id }) => made.has(id),
    async restore(networks, failed) {
      const left = readdirSync(notes);
      for (const name of left) {
        const users = networks.filter((network) => nameOf(network) === name);
        if (users.length === 0 || !linkExists(name)) await removeLink(name);
        else for (const network of users) made.set(network.id, network);
      }
      const missing = networks.filter(isMissing);
      for (const network of missing) await lay(network).catch((error: unknown) => failed(network, error));
      const again = missing.filter(({ id }) => made.has(id));
      // Without the note of a bridge there is no rule of ours, and nothing to ask the kernel for.
      const parents = new Set(networks.filter(({ driver }) => driver !== "bridge").map(nameOf));
      const bridges = made.values().some(({ driver }) => driver === "bridge");
      if (!bridges && left.every((name) => parents.has(name))) return again;
      rules = "";
      await refresh();
      return again;
    },
    async removeUnused(inUse) {
      for (const network of [...made.values()]) if (!inUse(network)) made.delete(network.id);
      for (const name of readdirSync(notes)) await removeLink(name);
      await refresh();
    },
  };
  return links;
}

/** A plan that failed, as one sentence with a way out. */
function explained(network: NetworkDocument, error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const why = error instanceof StepError ? error.message : reasonOf(error);
  return new Refusal(
    "failed",
    `cannot set up network ${network.name}: ${why}. Containers can do without: --network none or --network host`,
    { cause: error },
  );
}
