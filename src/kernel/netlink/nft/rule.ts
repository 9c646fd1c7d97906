import type { CT_STATE, CT_STATUS, IPPROTO } from "./numbers.ts";

/** A rule of nf_tables as people write it: conditions, and what happens when all of them hold. */
export interface Rule {
  readonly when: readonly Condition[];
  readonly then: Action;
  /** Counts what it has been applied to. */
  readonly counter: boolean;
  /** At most 127 bytes are kept. */
  readonly comment: string;
}

export type Condition =
  | { readonly match: "iifname" | "oifname"; readonly is: "==" | "!="; readonly name: string }
  /** `network` in CIDR, or one address. */
  | { readonly match: "saddr" | "daddr"; readonly is: "==" | "!="; readonly network: string }
  | { readonly match: "family"; readonly family: "ipv4" | "ipv6" }
  | { readonly match: "protocol"; readonly protocol: keyof typeof IPPROTO }
  | { readonly match: "sport" | "dport"; readonly protocol: "tcp" | "udp" | "sctp"; readonly port: number }
  /** One of them. */
  | { readonly match: "state"; readonly states: readonly (keyof typeof CT_STATE)[] }
  | { readonly match: "status"; readonly status: keyof typeof CT_STATUS }
  /** The destination is an address of this machine. */
  | { readonly match: "local" };

export type Action =
  | { readonly kind: "accept" | "drop" | "return" | "masquerade" }
  | { readonly kind: "jump" | "goto"; readonly chain: string }
  | { readonly kind: "snat"; readonly address: string }
  | { readonly kind: "dnat"; readonly address: string; readonly port: number }
  | Rewrite;

/** Other addresses of IPv4 and another port in each packet, which nothing remembers. The rule has tested the protocol. */
export interface Rewrite {
  readonly kind: "rewrite";
  readonly saddr: string;
  readonly daddr: string;
  readonly protocol: "tcp" | "udp";
  readonly which: "sport" | "dport";
  readonly port: number;
}

/** A rule in the language of nft(8), the comment aside. */
export function ruleText({ counter, then, when }: Rule): string {
  const words = [...when.map(conditionText), ...(counter ? ["counter"] : []), actionText(then)];
  return words.join(" ");
}

const family = (address: string) => (address.includes(":") ? "ip6" : "ip");

function conditionText(condition: Condition): string {
  switch (condition.match) {
    case "iifname":
    case "oifname":
      return `${condition.match} ${condition.is === "!=" ? "!= " : ""}"${condition.name}"`;
    case "saddr":
    case "daddr": {
      const not = condition.is === "!=" ? "!= " : "";
      return `${family(condition.network)} ${condition.match} ${not}${condition.network}`;
    }
    case "family":
      return `meta nfproto ${condition.family}`;
    case "protocol":
      return `meta l4proto ${condition.protocol === "icmpv6" ? "ipv6-icmp" : condition.protocol}`;
    case "sport":
    case "dport":
      return `${condition.protocol} ${condition.match} ${condition.port}`;
    case "state":
      return `ct state ${condition.states.join(",")}`;
    case "status":
      return `ct status ${condition.status}`;
    case "local":
      return "fib daddr type local";
  }
}

function actionText(action: Action): string {
  switch (action.kind) {
    case "jump":
    case "goto":
      return `${action.kind} ${action.chain}`;
    case "snat":
      return `snat ${family(action.address)} to ${action.address}`;
    case "dnat": {
      const v6 = action.address.includes(":");
      return `dnat ${v6 ? "ip6" : "ip"} to ${v6 ? `[${action.address}]` : action.address}:${action.port}`;
    }
    case "rewrite": {
      const { daddr, port, protocol, saddr, which } = action;
      return `ip saddr set ${saddr} ip daddr set ${daddr} ${protocol} ${which} set ${port}`;
    }
    default:
      return action.kind;
  }
}
