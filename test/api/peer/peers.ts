import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { startDockerd } from "../../../tools/peers/dockerd.ts";
import { installDocker, PEERS, peerPath } from "../../../tools/peers/packages.ts";
import { startEngine } from "../../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../../support/fixtures.ts";
import { root } from "../../support/skip.ts";
import { ask } from "./ask.ts";
import type { Peer } from "./run.ts";
import { IMAGE } from "./table.ts";

/** The API version that Docker 28 speaks; what an older dockerd says is compared with nothing. */
const VERSION = "28.";

/** Why answers cannot be compared here, or undefined. */
export function peersMissing(): string | undefined {
  const missing = root() ?? busyboxMissing();
  if (missing !== undefined) return missing;
  const refused = installDocker();
  if (refused !== undefined) return refused;
  const program = existsSync(join(PEERS, "docker"))
    ? spawnSync("dockerd", ["--version"], { env: { PATH: peerPath() }, encoding: "utf8" })
    : null;
  if (program === null || program.status !== 0) return "no Docker 28 to compare with";
  return program.stdout.includes(`version ${VERSION}`)
    ? undefined
    : `dockerd is not of version ${VERSION}x: ${program.stdout.trim()}`;
}

export interface Peers extends AsyncDisposable {
  readonly docker: Peer;
  readonly cais: Peer;
}

/** A dockerd and an engine of ours, with the same image loaded from the same archive. */
export async function startPeers(): Promise<Peers> {
  const [dockerd, engine] = await Promise.all([startDockerd(), startEngine()]);
  const info = JSON.parse((await ask(dockerd.socket, { method: "GET", path: "/info" })).body.toString()) as {
    DockerRootDir: string;
  };
  const image = await loadImage(dockerd.socket, engine.socket);
  const peer = (socket: string, data: string, run: string): Peer => ({
    socket,
    own: {
      image,
      directories: [
        // Ours are in memory: a disk costs each start three files.
        [`${run}/names`, "<root>/containers"],
        [data, "<root>"],
        [run, "<run>"],
      ],
    },
  });
  return {
    docker: peer(dockerd.socket, info.DockerRootDir, dockerd.socket.replace(/\/[^/]+$/, "")),
    cais: peer(engine.socket, engine.root, engine.run),
    [Symbol.asyncDispose]: async () => {
      await dockerd[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    },
  };
}

/** Made by Docker, saved, and loaded by both. @returns the image's id */
export async function loadImage(docker: string, cais: string): Promise<string> {
  const [repo, tag] = IMAGE.split(":");
  const changes = CHANGES.map((line) => `&changes=${encodeURIComponent(line)}`).join("");
  const { readFileSync } = await import("node:fs");
  const made = await ask(docker, {
    method: "POST",
    path: `/images/create?fromSrc=-&repo=${repo}&tag=${tag}${changes}`,
    body: readFileSync(busyboxTar()),
  });
  if (made.status !== 200) throw new Error(made.body.toString());
  const { body: archive } = await ask(docker, { method: "GET", path: `/images/${IMAGE}/get` });
  await ask(docker, { method: "DELETE", path: `/images/${IMAGE}` });
  for (const socket of [docker, cais]) {
    const loaded = await ask(socket, { method: "POST", path: "/images/load?quiet=1", body: archive });
    if (loaded.status !== 200) throw new Error(loaded.body.toString());
  }
  const { body } = await ask(docker, { method: "GET", path: `/images/${IMAGE}/json` });
  return (JSON.parse(body.toString()) as { Id: string }).Id;
}

const CHANGES = [
  'CMD ["sh"]',
  "ENV PATH=/bin:/usr/bin KIND=peer",
  "LABEL from=image",
  "WORKDIR /tmp",
  "EXPOSE 80",
];
