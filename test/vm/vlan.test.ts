// Safe beside other test files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "../../tools/check/sources.ts";
import { needs, program } from "../support/skip.ts";
import { merged, withLibraries } from "./files.ts";
import { repository, runInVm, vmMissing } from "./harness.ts";
import { foundIn } from "./said.ts";

// The machine that tests run on may have no ipvlan and no VLANs: Debian's kernel has them all.
test(
  "macvlans, ipvlans and VLANs of every mode, made with their networks and gone with them",
  needs(vmMissing(), program("ip", "iproute2")),
  async () => {
    const { output } = await runInVm({
      files: merged(repository(ROOT), withLibraries("/usr/sbin/ip", "/usr/sbin/ip")),
      modules: ["overlay", "veth", "8021q", "dummy", "macvlan", "ipvlan"],
      command: "bun /cais/test/vm/guest/vlans.ts",
      memory: 2048,
      timeoutSeconds: 280,
    });
    const { modes, closed, alone, aloneToo, ...found } = foundIn(output);
    assert.deepEqual(found, {
      tagged: "",
      vlan: true,
      taggedEachOther: true,
      taggedRouter: true,
      second: "",
      stillThere: true,
      afterKill: true,
      gone: true,
      theirs: true,
      taken: "vlan id must be between 1-4094, received: 4095",
      passthru: true,
      passthruShared: "cannot create network x: network lan is already using parent interface wire",
      otherMode: "cannot create network x: network lan is already using parent interface wire",
      left: "0",
      goneWithEngine: true,
      again: true,
      last: false,
    });
    const via = "default via 10.7.0.254 dev eth0";
    const mode = (eachOther: boolean, router: boolean, route: string) => ({
      refused: "",
      eachOther,
      router,
      route,
      shown: true,
    });
    assert.deepEqual(modes, {
      "macvlan macvlan_mode=bridge": mode(true, true, via),
      // Whoever is outside has to send it back, which this router does not.
      "macvlan macvlan_mode=private": mode(false, true, via),
      "macvlan macvlan_mode=vepa": mode(false, true, via),
      "ipvlan ipvlan_flag=bridge": mode(true, true, via),
      "ipvlan ipvlan_flag=private": mode(false, true, via),
      "ipvlan ipvlan_flag=vepa": mode(false, true, via),
      "ipvlan ipvlan_mode=l3": mode(true, true, "default dev eth0 scope link"),
      "ipvlan ipvlan_mode=l3s": mode(true, true, "default dev eth0 scope link"),
    });
    const apart = { refused: "", eachOther: true, route: "", address: "10.9.0.2" };
    assert.deepEqual(closed, { ...apart, link: "" });
    for (const [each, name] of [
      [alone, /^dm-[0-9a-f]{12}$/],
      [aloneToo, /^di-[0-9a-f]{12}$/],
    ] as const) {
      const { link, ...rest } = each as { link: string };
      assert.match(link, name);
      assert.deepEqual(rest, apart);
    }
  },
);
