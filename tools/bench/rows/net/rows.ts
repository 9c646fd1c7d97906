import type { Row } from "../../row.ts";
import { crowd } from "./crowd.ts";
import { dns } from "./dns.ts";
import { iperf } from "./iperf.ts";
import { rules } from "./rules.ts";
import { run } from "./run.ts";

/** Everything about networks; `npm run bench -- net` runs them all, `net-dns` and so on one. */
export const net: readonly Row[] = [run, iperf, dns, crowd, rules];
