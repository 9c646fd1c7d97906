// Safe beside other test files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "../../tools/check/sources.ts";
import { needs, program } from "../support/skip.ts";
import { merged, withLibraries } from "./files.ts";
import { repository, runInVm, vmMissing } from "./harness.ts";
import { foundIn } from "./said.ts";

// Many kernels have no SCTP; Debian's has it as a module.
test(
  "a published port of SCTP is translated by the kernel, from everywhere, with the client's own address",
  needs(vmMissing(), program("ip", "iproute2")),
  async () => {
    const { output } = await runInVm({
      files: merged(repository(ROOT), withLibraries("/usr/sbin/ip", "/usr/sbin/ip")),
      modules: [
        ...[
          "overlay",
          "veth",
          "bridge",
          "sctp",
          "nf_tables",
          "nft_ct",
          "nft_nat",
          "nft_masq",
          "nft_chain_nat",
        ],
        ...["nft_fib_ipv4", "nft_fib_ipv6", "nft_fib_inet", "nf_conntrack_netlink"],
      ],
      command: "bun /cais/test/vm/guest/sctp.ts",
      memory: 2048,
      timeoutSeconds: 170,
    });
    const { taken, ...found } = foundIn(output);
    assert.deepEqual(found, {
      refused: "",
      ports: { "80/sctp": [{ HostIp: "0.0.0.0", HostPort: "8080" }] },
      within: ["hello", "10.20.0.3"],
      elsewhere: ["hello", "10.7.0.2"],
      host: ["hello", "10.7.0.1"],
      loopback: ["hello", "10.20.0.1"],
    });
    assert.match(String(taken), /Bind for 0\.0\.0\.0:8080 failed: port is already allocated/);
  },
);
