import type { ContainerRecord } from "../../container/record.ts";
import { ownName } from "../../network/firewall/owner.ts";
import type { Context } from "../context.ts";

/**
 * Before anybody gets an address on the default network: where somebody else has come to have its bridge's name, an
 * engine on another root for one, it has a name of this root's own from now on, and addresses that are free.
 */
export async function settleName(
  context: Context,
  record?: Pick<ContainerRecord, "endpoints">,
): Promise<void> {
  const { links, networks, owner, report } = context;
  const standard = networks.byName("bridge");
  if (!standard || links.has(standard) || (record && !record.endpoints.bridge)) return;
  if (!(await links.isTaken(standard))) return;
  const name = ownName(owner);
  report(
    `Another engine, or somebody else, has the bridge of the default network: it is called ${name} here`,
  );
  networks.renameDefault(name);
}
