import { madeOnce } from "../oci/once.ts";
import { parseSubnet, type Subnet } from "./address.ts";
import type { NetworkDocument, Pool } from "./document.ts";

export interface LivePool {
  readonly family: 4 | 6;
  readonly subnet: Subnet;
  readonly pool: Pool;
}

/** The pools that containers get addresses from: those of the families that are on. */
export const poolsOf = madeOnce(({ configOnly, ipv4, ipv6, pools }: NetworkDocument): readonly LivePool[] =>
  configOnly
    ? []
    : pools.flatMap((pool) => {
        const subnet = parseSubnet(pool.subnet)!;
        const { family } = subnet;
        return (family === 4 ? ipv4 : ipv6) ? [{ family, subnet, pool }] : [];
      }),
);
