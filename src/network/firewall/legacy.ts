import { readFileSync } from "node:fs";
import { SOCKET } from "../../kernel/flags.ts";
import {
  drops,
  ENTRIES_HEADER,
  entriesSize,
  GET_ENTRIES,
  GET_INFO,
  INFO_SIZE,
  tableName,
  XTABLES,
} from "../../kernel/xtables.ts";
import { call, from, mem, num, struct, u32 } from "../../plan/build.ts";
import type { RunResult } from "../../plan/run.ts";
import type { Plan } from "../../plan/step.ts";
import { obstacleOf } from "./obstacles.ts";
import type { Obstacle } from "./types.ts";

/** Rules of iptables from before nf_tables, which nobody lists with the others: they filter all the same. */

/** Who has a table is told by the kernel; asking for one that is not there would make it. */
const NAMES = { ip: "ip_tables_names", ip6: "ip6_tables_names" } as const;

/** Whether their FORWARD and INPUT drop what their rules do not accept. */
export async function legacyObstacles(runPlan: (plan: Plan) => Promise<RunResult>): Promise<Obstacle[]> {
  const found: Obstacle[] = [];
  for (const family of ["ip", "ip6"] as const) {
    if (!hasFilter(family)) continue;
    const { output: info } = await runPlan(optionPlan(family, GET_INFO, tableName("filter"), INFO_SIZE));
    const size = entriesSize(info);
    const request = new Uint8Array(ENTRIES_HEADER);
    request.set(tableName("filter"));
    new DataView(request.buffer).setUint32(32, size, true);
    const { output: entries } = await runPlan(
      optionPlan(family, GET_ENTRIES, request, ENTRIES_HEADER + size),
    );
    for (const hook of ["forward", "input"] as const) {
      if (drops(family, hook, info, entries))
        found.push(obstacleOf(family, "filter", hook.toUpperCase(), hook));
    }
  }
  return found;
}

function hasFilter(family: keyof typeof NAMES): boolean {
  try {
    return readFileSync(`/proc/thread-self/net/${NAMES[family]}`, "utf8").split("\n").includes("filter");
  } catch {
    // This kernel never had them.
    return false;
  }
}

/** Reads a socket option whose answer begins with `request` and has `size` bytes. */
function optionPlan(family: keyof typeof XTABLES, option: number, request: Uint8Array, size: number): Plan {
  const { family: domain, level } = XTABLES[family];
  const why = "read the policy of iptables";
  const bytes = new Uint8Array(size);
  bytes.set(request);
  const answer = struct([bytes]);
  return {
    steps: [
      call(
        "socket",
        [num(domain), num(3 | SOCKET.CLOEXEC, "SOCK_RAW|SOCK_CLOEXEC"), num(255, "IPPROTO_RAW")],
        why,
        { result: "socket" },
      ),
      call(
        "getsockopt",
        [from("socket"), num(level), num(option), mem(answer), mem(struct([u32(size, 0)]), String(size))],
        why,
      ),
      call("write", [num(1), mem(answer), num(size)], why),
    ],
  };
}
