import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Request } from "../../../src/kernel/netlink/message.ts";
import { decodeChains, decodeRules } from "../../../src/kernel/netlink/nft/decode.ts";
import {
  addChain,
  addRule,
  addTable,
  deleteChain,
  deleteRule,
  deleteTable,
  flushChain,
  listChains,
  listRules,
} from "../../../src/kernel/netlink/nft/requests.ts";
import type { Action, Condition, Rule } from "../../../src/kernel/netlink/nft/rule.ts";
import { firewallPlan, listPlan } from "../../../src/network/firewall/plans.ts";
import type { StepError } from "../../../src/plan/error.ts";
import { explain } from "../../../src/plan/explain.ts";
import { runPlan } from "../../../src/plan/run.ts";
import { script } from "../../../src/plan/script/script.ts";
import { run } from "../../network/look.ts";
import { enterOwnNetwork, type OwnNetwork } from "../../support/netns.ts";
import { needs, program, root } from "../../support/skip.ts";

// Each message of nf_tables is sent by a plan, and what nft(8) then lists is what its own command makes.

const can = needs(root(), program("nft", "nftables"));
let network: OwnNetwork;
before(async () => {
  if (can.skip === undefined) network = await enterOwnNetwork();
});
after(() => network?.leave());

const table = { family: "inet", name: "cais" } as const;
const rule = (when: readonly Condition[], then: Action, comment = "", counter = false): Rule => ({
  when,
  then,
  comment,
  counter,
});
const accept = { kind: "accept" } as const;
const iif = { match: "iifname", is: "==", name: "cais0" } as const;

const list = () =>
  run("nft", ["-j", "list", "ruleset"])
    .replaceAll(/"handle": \d+/g, '"handle": 0')
    .replace(/"metainfo": \{[^}]*\}/, "");
const flush = () => run("nft", ["flush", "ruleset"]);
const send = (requests: readonly Request[]) => runPlan(firewallPlan(requests, "try it"));

async function compare(requests: readonly Request[]) {
  flush();
  await send(requests);
  const sent = list();
  flush();
  run("nft", ["-f", "-"], requests.map(({ words }) => String(words[1])).join("\n"));
  assert.equal(sent, list());
}

const CONDITIONS: readonly Condition[] = [
  iif,
  { match: "oifname", is: "!=", name: "br-0123456789ab" },
  { match: "saddr", is: "==", network: "172.17.0.0/16" },
  { match: "daddr", is: "!=", network: "127.0.0.0/8" },
  { match: "daddr", is: "==", network: "10.0.0.1" },
  { match: "saddr", is: "==", network: "172.16.0.0/12" },
  { match: "daddr", is: "!=", network: "192.168.7.128/25" },
  { match: "saddr", is: "==", network: "fd00::/64" },
  { match: "daddr", is: "==", network: "fe80::/10" },
  { match: "daddr", is: "!=", network: "::1" },
  { match: "family", family: "ipv4" },
  { match: "family", family: "ipv6" },
  { match: "protocol", protocol: "icmp" },
  { match: "protocol", protocol: "icmpv6" },
  { match: "dport", protocol: "tcp", port: 80 },
  { match: "dport", protocol: "udp", port: 53 },
  { match: "dport", protocol: "sctp", port: 65535 },
  { match: "sport", protocol: "udp", port: 11053 },
  { match: "state", states: ["established", "related"] },
  { match: "state", states: ["new"] },
  { match: "status", status: "dnat" },
  { match: "local" },
];

test("every kind of chain", can, () =>
  compare([
    addTable(table),
    addChain(table, "regular"),
    addChain(table, "forward", { type: "filter", hook: "forward", priority: 0, policy: "drop" }),
    addChain(table, "input", { type: "filter", hook: "input", priority: -150, policy: "accept" }),
    addChain(table, "prerouting", { type: "nat", hook: "prerouting", priority: -100, policy: "accept" }),
    addChain(table, "output", { type: "nat", hook: "output", priority: -100, policy: "accept" }),
    addChain(table, "route", { type: "route", hook: "output", priority: -300, policy: "accept" }),
    addChain(table, "postrouting", { type: "nat", hook: "postrouting", priority: 100, policy: "accept" }),
  ]),
);

test("every condition, by itself and together", can, () =>
  compare([
    addTable(table),
    addChain(table, "one", { type: "filter", hook: "forward", priority: 0, policy: "accept" }),
    ...CONDITIONS.map((condition) => addRule(table, "one", rule([condition], accept))),
    addRule(
      table,
      "one",
      rule(
        [
          iif,
          { match: "saddr", is: "==", network: "172.17.0.0/16" },
          { match: "daddr", is: "==", network: "10.1.0.0/20" },
          { match: "dport", protocol: "tcp", port: 443 },
          { match: "state", states: ["new"] },
        ],
        { kind: "drop" },
        "network web: all of it",
        true,
      ),
    ),
  ]),
);

test("every action", can, () =>
  compare([
    addTable(table),
    addChain(table, "other"),
    addChain(table, "prerouting", { type: "nat", hook: "prerouting", priority: -100, policy: "accept" }),
    addChain(table, "postrouting", { type: "nat", hook: "postrouting", priority: 100, policy: "accept" }),
    addRule(table, "postrouting", rule([iif], { kind: "masquerade" }, "", true)),
    addRule(table, "prerouting", rule([iif], { kind: "jump", chain: "other" })),
    addRule(table, "prerouting", rule([iif], { kind: "goto", chain: "other" })),
    addRule(table, "prerouting", rule([iif], { kind: "return" })),
    addRule(table, "prerouting", rule([iif], { kind: "drop" })),
    addRule(
      table,
      "prerouting",
      rule(
        [
          { match: "daddr", is: "==", network: "10.0.0.1" },
          { match: "dport", protocol: "tcp", port: 8080 },
        ],
        { kind: "dnat", address: "172.17.0.2", port: 80 },
        "container web: port 8080",
        true,
      ),
    ),
    addRule(
      table,
      "prerouting",
      rule(
        [
          { match: "family", family: "ipv6" },
          { match: "dport", protocol: "udp", port: 53 },
        ],
        { kind: "dnat", address: "fd00::2", port: 5353 },
      ),
    ),
  ]),
);

test("packets rewritten, in a table of one family", can, () => {
  const own = { family: "ip", name: "cais" } as const;
  const rewrite = { kind: "rewrite", saddr: "10.0.0.2", daddr: "10.0.0.1" } as const;
  return compare([
    addTable(own),
    addChain(own, "out", { type: "route", hook: "output", priority: -300, policy: "accept" }),
    ...(["tcp", "udp"] as const).flatMap((protocol) =>
      (["sport", "dport"] as const).map((which) =>
        addRule(
          own,
          "out",
          rule(
            [
              { match: "daddr", is: "==", network: "127.0.0.11" },
              { match: which, protocol, port: 53 },
            ],
            { ...rewrite, protocol, which, port: 11053 },
          ),
        ),
      ),
    ),
  ]);
});

test("what is removed is gone", can, async () => {
  const made = [
    addTable(table),
    addChain(table, "a"),
    addChain(table, "b"),
    addRule(table, "a", rule([iif], accept, "stays")),
    addRule(table, "a", rule([iif], accept, "goes")),
    addRule(table, "b", rule([iif], accept)),
  ];
  flush();
  await send(made);
  const rules = decodeRules((await runPlan(listPlan(listRules(table), "look"))).output);
  assert.deepEqual(
    rules.map(({ chain, comment }) => [chain, comment]),
    [
      ["a", "stays"],
      ["a", "goes"],
      ["b", ""],
    ],
  );
  await send([
    deleteRule(table, "a", rules[1]?.handle ?? 0n),
    flushChain(table, "b"),
    deleteChain(table, "b"),
  ]);
  const left = list();
  assert.match(left, /stays/);
  assert.doesNotMatch(left, /goes|"b"/);
  await send([deleteTable(table)]);
  assert.doesNotMatch(list(), /cais/);
});

test("a batch is all or nothing, and names what was refused", can, async () => {
  flush();
  const requests = [
    addTable(table),
    addChain(table, "a"),
    addRule(table, "a", rule([iif], { kind: "jump", chain: "missing" })),
  ];
  await assert.rejects(send(requests), (error: StepError) => {
    assert.match(error.message, /^Cannot try it: nft add rule: .* \(ENOENT\); /);
    assert.equal(error.number, 3);
    return true;
  });
  assert.doesNotMatch(list(), /cais/);
});

test("comments of any kind are kept as far as nft can show them", can, async () => {
  const long = "ü".repeat(100);
  flush();
  await send([
    addTable(table),
    addChain(table, "a"),
    addRule(table, "a", rule([iif], accept, long)),
    addRule(table, "a", rule([iif], accept, 'a "quoted" \\ one\nwith lines')),
  ]);
  const [first, second] = decodeRules((await runPlan(listPlan(listRules(table), "look"))).output);
  assert.equal(first?.comment, "ü".repeat(63));
  assert.equal(second?.comment, "a quoted  onewith lines");
  assert.match(list(), /a quoted {2}onewith lines/);
});

test("many rules are one batch, and a list of any length is read back whole", can, async () => {
  flush();
  const many = Array.from({ length: 2000 }, (_, port) =>
    addRule(
      table,
      "a",
      rule([{ match: "dport", protocol: "tcp", port: port + 1 }], accept, `rule ${port}`, true),
    ),
  );
  await send([addTable(table), addChain(table, "a"), ...many]);
  const rules = decodeRules((await runPlan(listPlan(listRules(table), "look"))).output);
  assert.deepEqual(
    rules.map(({ comment }) => comment),
    many.map((_, port) => `rule ${port}`),
  );
});

test("other people's chains are read with their hooks and policies", can, async () => {
  flush();
  run("nft", [
    "add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }; add table bridge b; add chain bridge b c",
  ]);
  const chains = decodeChains((await runPlan(listPlan(listChains(), "look"))).output);
  assert.deepEqual(chains, [
    { family: "ip", table: "filter", name: "FORWARD", hook: "forward", policy: "drop", priority: 0 },
    { family: "7", table: "b", name: "c" },
  ]);
});

test("explained and scripted it is what people type, and the script makes the same", can, async () => {
  const requests = [
    addTable(table),
    addChain(table, "forward", { type: "filter", hook: "forward", priority: 0, policy: "accept" }),
    addRule(table, "forward", rule([iif], accept, 'it\'s "ours"', true)),
  ];
  const plan = firewallPlan(requests, "try it");
  assert.match(explain(plan), /nft add rule inet cais forward iifname "cais0" counter accept comment/);
  flush();
  await runPlan(plan);
  const sent = list();
  flush();
  const text = script(plan);
  const { mkdtempSync, rmSync, writeFileSync } = await import("node:fs");
  const directory = mkdtempSync("/tmp/cais-test-nft-");
  writeFileSync(`${directory}/script`, text);
  run("sh", [`${directory}/script`]);
  rmSync(directory, { recursive: true });
  assert.equal(list(), sent);
});
