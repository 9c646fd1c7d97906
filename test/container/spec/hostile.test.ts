import assert from "node:assert/strict";
import { test } from "node:test";
import { validateContainer } from "../../../src/container/spec/validate.ts";
import { Refusal } from "../../../src/oci/error.ts";
import type { ContainerConfig, HostConfig } from "../../../src/wire/container.ts";
import { EVERY_CAPABILITY, specOf } from "./facts.ts";

const MACHINE = {
  cpus: 2,
  cpusetCpus: "0-1",
  cpusetMems: "0",
  arch: "x86_64",
  kernel: "6.18.0",
  capabilities: EVERY_CAPABILITY,
} as const;

const error = (config: unknown, host: unknown) =>
  validateContainer(config as ContainerConfig, host as HostConfig, MACHINE).error;

for (const [config, host, sentence] of [
  [{ Cmd: 5 }, {}, "invalid JSON: Cmd must be a list"],
  [{ Env: [1] }, {}, "invalid JSON: Env[0] must be a string"],
  [{ Env: [null] }, {}, "invalid JSON: Env must be a list without null"],
  [{ Healthcheck: { Interval: 1.5 } }, {}, "invalid JSON: Healthcheck.Interval must be a whole number"],
  [{}, [], "invalid JSON: HostConfig must be an object"],
  [{}, { Memory: "5" }, "invalid JSON: HostConfig.Memory must be a whole number"],
  [{}, { Mounts: [{ Target: 5 }] }, "invalid JSON: HostConfig.Mounts[0].Target must be a string"],
  [{}, { Sysctls: { a: 1 } }, "invalid JSON: HostConfig.Sysctls.a must be a string"],
  [{}, { Ulimits: [[]] }, "invalid JSON: HostConfig.Ulimits[0] must be an object"],
  [{}, { PortBindings: { "80/tcp": {} } }, "invalid JSON: HostConfig.PortBindings.80/tcp must be a list"],
] as const) {
  test(`${JSON.stringify([config, host])} is refused by the field's name`, () => {
    assert.equal(error(config, host), sentence);
  });
}

test("null is nothing, unknown fields do not matter", () => {
  const everywhere = { Env: null, Cmd: null, Healthcheck: null, Volumes: null, Unknown: 5, constructor: 1 };
  assert.equal(
    error(everywhere, { Binds: null, Mounts: null, Sysctls: null, Init: null, toString: [] }),
    undefined,
  );
});

/** Words that mean something somewhere, and some that should mean nothing anywhere. */
const WORDS = [
  ..."|/|..|/..|a|/a|/a:/b|/a:/b:ro|:|::|:::|a:b:c|host|container:|container:x|uid=0:1:1|ALL|CHOWN|0|-1|1.5".split(
    "|",
  ),
  ..."seccomp=|seccomp={}|seccomp=[|no-new-privileges|label=|=|,|\0|\n|__proto__|constructor|é|c 1:3 rwm|/dev/zero".split(
    "|",
  ),
];
const LISTS = [
  "Binds",
  "CapAdd",
  "CapDrop",
  "SecurityOpt",
  "DeviceCgroupRules",
  "ExtraHosts",
  "GroupAdd",
  "MaskedPaths",
];
const MODES = [
  "IpcMode",
  "PidMode",
  "UTSMode",
  "NetworkMode",
  "UsernsMode",
  "CgroupnsMode",
  "CgroupParent",
  "CpusetCpus",
];
const MAPS = ["Tmpfs", "Sysctls", "Annotations"];
const NUMBERS = [
  "Memory",
  "MemorySwap",
  "NanoCpus",
  "CpuQuota",
  "PidsLimit",
  "ShmSize",
  "OomScoreAdj",
  "BlkioWeight",
];

/** Numbers that look random and are the same at every run (a linear congruential generator). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

test("whatever the words: one clear sentence, or a configuration; never another error", () => {
  const pick = generator(1);
  const any = <T>(list: readonly T[]): T => list[pick(list.length)]!;
  let made = 0;
  for (let round = 0; round < 3000; round++) {
    const entries: [string, unknown][] = [];
    for (let option = pick(3); option >= 0; option--) {
      entries.push(
        ...([
          [any(LISTS), [any(WORDS), any(WORDS)].slice(pick(2))],
          [any(MODES), any(WORDS)],
          [any(MAPS), Object.fromEntries([[any(WORDS), any(WORDS)]])],
          [any(NUMBERS), any([0, -1, 1, 1e5, 1e9, 2 ** 53, -(2 ** 31)])],
          [
            "Mounts",
            [{ Type: any(["bind", "volume", "tmpfs", "image", ""]), Source: any(WORDS), Target: any(WORDS) }],
          ],
          [
            "Devices",
            [{ PathOnHost: any(WORDS), PathInContainer: any(WORDS), CgroupPermissions: any(["", "r", "x"]) }],
          ],
        ]
          .slice(pick(6))
          .slice(0, 1) as [string, unknown][]),
      );
    }
    const host = Object.fromEntries(entries) as HostConfig;
    const why = error({}, host);
    if (why !== undefined) {
      assert.ok(why.length > 0 && why.length < 600 && !why.includes("\0"), JSON.stringify(host));
      continue;
    }
    try {
      specOf(host, {}, { volumes: { get: () => "/volume" } as unknown as ReadonlyMap<string, string> });
      made++;
    } catch (failure) {
      assert.ok(failure instanceof Refusal, `${JSON.stringify(host)}: ${String(failure)}`);
    }
  }
  assert.ok(made > 250, String(made));
});
