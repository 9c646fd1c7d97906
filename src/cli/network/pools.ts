import type { NetworkPool } from "../../wire/network.ts";
import { pairs } from "../container/environment.ts";
import { Failure } from "../failure.ts";

interface PoolOptions {
  readonly subnet: readonly string[];
  readonly gateway: readonly string[];
  readonly "ip-range": readonly string[];
  readonly "aux-address": readonly string[];
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Pools of addresses as `network create` is told them: each range, gateway and address belongs to the subnet that it
 * is in. What is malformed is left to the engine, which says so.
 * @throws Failure for what belongs to no subnet
 */
export function poolsOf(options: PoolOptions): readonly NetworkPool[] {
  const subnets = words(options.subnet);
  const [gateways, ranges] = [words(options.gateway), words(options["ip-range"])];
  const reserved = pairs(options["aux-address"]);
  if (subnets.length === 0 && gateways.length + ranges.length > 0)
    throw new Failure("every ip-range or gateway must have a corresponding subnet");
  const pools = subnets.map((Subnet) => ({ Subnet }) as Writable<NetworkPool>);
  const place = (address: string, what: string, set: (pool: Writable<NetworkPool>) => void): void => {
    const pool = pools.find(({ Subnet = "" }) => isIn(address.split("/")[0] ?? "", Subnet));
    if (!pool) throw new Failure(`no matching subnet for ${what} ${address}`);
    set(pool);
  };
  for (const range of ranges) {
    place(range, "range", (pool) => {
      if (pool.IPRange)
        throw new Failure(`cannot configure multiple ranges (${range}, ${pool.IPRange}) on the same subnet`);
      pool.IPRange = range;
    });
  }
  for (const gateway of gateways) {
    place(gateway, "gateway", (pool) => {
      if (pool.Gateway) {
        throw new Failure(
          `cannot configure multiple gateways (${gateway}, ${pool.Gateway}) for the same subnet`,
        );
      }
      pool.Gateway = gateway;
    });
  }
  for (const [name, address] of Object.entries(reserved)) {
    place(address, "aux-address", (pool) => {
      pool.AuxiliaryAddresses = { ...pool.AuxiliaryAddresses, [name]: address };
    });
  }
  return pools;
}

/** Options that take several values, `a,b` or repeated. */
const words = (texts: readonly string[]): readonly string[] => texts.flatMap((text) => text.split(","));

/** Whether an address is in a block. Where either is malformed, the families decide. */
function isIn(address: string, subnet: string): boolean {
  const [base = "", length = ""] = subnet.split("/");
  const [a, b] = [bits(address), bits(base)];
  if (a === undefined || b === undefined) return address.includes(":") === base.includes(":");
  return a.length === b.length && a.slice(0, Number(length)) === b.slice(0, Number(length));
}

/** The bits of an address as text; undefined for what is none. */
function bits(address: string): string | undefined {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  if (four)
    return four
      .slice(1)
      .map((byte) => Number(byte).toString(2).padStart(8, "0"))
      .join("");
  const [head = "", tail] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const [front, back] = [groups(head), groups(tail ?? "")];
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  if (zeros < 0 || !address.includes(":")) return undefined;
  const all = [...front, ...new Array<string>(zeros).fill("0"), ...back];
  if (all.length !== 8 || !all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return all.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0")).join("");
}
