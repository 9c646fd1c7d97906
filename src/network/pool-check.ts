import type { NetworkPool } from "../wire/network.ts";
import { contains, formatSubnet, parseAddress, parsePrefix, type Subnet, subnetOf } from "./address.ts";

/**
 * What is wrong with the pools that were asked for, in Docker's words, each as one line.
 * @returns empty when all is well
 */
export function wrongPools(pools: readonly NetworkPool[]): string[] {
  return pools.flatMap((pool) => {
    const text = pool.Subnet ?? "";
    const prefix = parsePrefix(text);
    if (prefix === null) return [`invalid subnet ${text.slice(0, 80)}: invalid CIDR block notation`];
    const subnet = subnetOf(prefix.address, prefix.length);
    const wrong: string[] = [];
    if (prefix.address.value !== subnet.base)
      wrong.push(`invalid subnet ${text}: it should be ${formatSubnet(subnet)}`);
    wrong.push(...wrongRange(subnet, pool.IPRange ?? ""));
    if (pool.Gateway)
      wrong.push(...wrongAddress(subnet, pool.Gateway, `gateway ${pool.Gateway.slice(0, 80)}`));
    for (const [name, address] of Object.entries(pool.AuxiliaryAddresses ?? {}))
      wrong.push(...wrongAddress(subnet, address, `auxiliary address ${name.slice(0, 80)}`));
    return wrong;
  });
}

function wrongRange(subnet: Subnet, text: string): string[] {
  if (text === "") return [];
  const what = `invalid ip-range ${text.slice(0, 80)}`;
  const prefix = parsePrefix(text);
  if (prefix === null) return [`${what}: invalid CIDR block notation`];
  const range = subnetOf(prefix.address, prefix.length);
  const wrong: string[] = [];
  if (range.length < subnet.length)
    wrong.push(`${what}: CIDR block is bigger than its parent subnet ${formatSubnet(subnet)}`);
  if (prefix.address.value !== range.base) wrong.push(`${what}: it should be ${formatSubnet(range)}`);
  if (!contains(subnet, prefix.address))
    wrong.push(`${what}: parent subnet ${formatSubnet(subnet)} doesn't contain ip-range`);
  return wrong;
}

function wrongAddress(subnet: Subnet, text: string, what: string): string[] {
  const address = parseAddress(text);
  if (address === null) return [`invalid ${what}: invalid address`];
  return contains(subnet, address)
    ? []
    : [`invalid ${what}: parent subnet ${formatSubnet(subnet)} doesn't contain this address`];
}

/** `what` and the lines as one text: a single one as it is, several as a list (Go's `errors.Join` as Docker prints it). */
export function joined(what: string, lines: readonly string[]): string {
  const [only] = lines;
  return lines.length === 1
    ? `${what}:\n${only}`
    : `${what}:\n${lines.map((line) => `* ${line}`).join("\n")}`;
}
