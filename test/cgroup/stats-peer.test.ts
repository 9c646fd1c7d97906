import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { readLayout } from "../../src/cgroup/layout.ts";
import { NO_CPU_STATS, sample } from "../../src/cgroup/stats.ts";
import { startDockerd } from "../../tools/peers/dockerd.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

function get(socketPath: string, path: string): Promise<Record<string, Json>> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve(JSON.parse(text)));
    });
    sent.on("error", reject).end();
  });
}

/** The keys of `value` down to the leaves, with the type of each; the elements of a list are one. */
function shape(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.length === 0 ? [`${path}[]`] : shape(value[0], `${path}[]`);
  if (value === null || typeof value !== "object")
    return [`${path}: ${value === null ? "null" : typeof value}`];
  return Object.entries(value)
    .flatMap(([key, each]) => shape(each, `${path}.${key}`))
    .sort();
}

test(
  "statistics have the shape and the numbers of Docker's, of the same container",
  needs(root(), busyboxMissing(), program("dockerd", "docker.io")),
  async () => {
    await using peer = await startDockerd();
    peer.import(busyboxTar(), "busybox");
    const limits = ["--memory", "64m", "--memory-swap", "64m", "--pids-limit", "31", "--cpus", "0.5"];
    const id = peer.docker("run", "-d", "--network", "none", ...limits, "busybox", "sleep", "1000").trim();
    const parent = peer.docker("inspect", "--format", "{{.HostConfig.CgroupParent}}", id).trim();
    const theirs = await get(peer.socket, `/containers/${id}/stats?stream=false&one-shot=true`);
    const daemon = `/${parent || peer.socket.split("/").at(-2)}/${id}`;
    const ours = JSON.parse(JSON.stringify(sample(readLayout(), daemon)));
    peer.docker("rm", "-f", id);
    for (const part of ["cpu_stats", "memory_stats", "pids_stats", "blkio_stats"])
      assert.deepEqual(shape(ours[part]), shape(theirs[part]), part);
    assert.deepEqual(ours.pids_stats, theirs.pids_stats);
    const [our, their] = [ours.memory_stats, theirs.memory_stats as Record<string, Json>];
    assert.equal(our.limit, their.limit);
    assert.equal(our.failcnt, their.failcnt);
    assert.deepEqual(shape(NO_CPU_STATS), shape(theirs.precpu_stats));
  },
);
