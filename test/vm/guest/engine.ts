import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import type { Readable } from "node:stream";

/** An engine in the guest, and what tests ask of it over its API: starting bun for each command takes seconds there. */

const RUN = "/run/engine";
let engine: ChildProcess | undefined;

/** Starts it, or starts it again on the same directories. */
export async function startEngine(): Promise<void> {
  const words = ["/cais/src/cli/main.ts", "--root", "/run/root", "--run", RUN, "serve"];
  engine = spawn("bun", words, {
    env: { ...process.env, CAIS_READY_FD: "3" },
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  await once(engine.stdio[3] as Readable, "data");
}

/** `SIGKILL` as a crash would have it, `SIGTERM` as a service manager would. */
export async function endEngine(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  const ended = once(engine!, "exit");
  engine!.kill(signal);
  await ended;
}

/** One request. @returns the answer's body; of a refusal, the sentence */
export function ask(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: `${RUN}/cais.sock`, method, path, headers }, async (answer) => {
      let got = "";
      for await (const part of answer) got += part;
      resolve(got === "" ? {} : (JSON.parse(got) as Record<string, unknown>));
    });
    sent.on("error", reject);
    sent.end(text);
  });
}

/** A network with a subnet and a gateway. @returns the sentence of a refusal */
export const createNetwork = async (
  Name: string,
  Driver: string,
  Options: Record<string, string>,
  pool: { Subnet: string; Gateway?: string },
  more: object = {},
): Promise<string> =>
  String(
    (await ask("POST", "/networks/create", { Name, Driver, Options, IPAM: { Config: [pool] }, ...more }))
      .message ?? "",
  );

/** A container that sleeps on a network. @returns its first process, and its address there */
export async function run(
  name: string,
  network: string,
  host: object = {},
): Promise<{ pid: number; address: string; refused: string }> {
  const made = await ask("POST", `/containers/create?name=${name}`, {
    Image: "host",
    Cmd: ["sleep", "1000000"],
    HostConfig: { NetworkMode: network, ...host },
  });
  const started = await ask("POST", `/containers/${name}/start`);
  const shown = await ask("GET", `/containers/${name}/json`);
  const state = shown.State as { Pid: number } | undefined;
  const settings = shown.NetworkSettings as { Networks: Record<string, { IPAddress: string }> } | undefined;
  return {
    pid: state?.Pid ?? 0,
    address: settings?.Networks[network]?.IPAddress ?? "",
    refused: String(made.message ?? started.message ?? ""),
  };
}

/** Removes containers. */
export async function remove(...names: readonly string[]): Promise<void> {
  for (const name of names) await ask("DELETE", `/containers/${name}?force=1`);
}

/** Runs a program, in the network of a process unless that is 0. @returns what it writes */
export function inside(pid: number, ...words: readonly string[]): string {
  const all = pid === 0 ? words : ["nsenter", "-t", String(pid), "-n", ...words];
  const { stdout, stderr } = spawnSync(all[0]!, all.slice(1), { encoding: "utf8" });
  return (stdout + stderr).trim();
}

/** Whether an address answers. */
export const reaches = (pid: number, address: string): boolean =>
  / 0% packet loss/.test(inside(pid, "ping", "-c1", "-W1", address));

/** Another host: a network namespace, held by the process that is returned. */
export async function otherHost(): Promise<number> {
  const holder = spawn("unshare", ["-n", "sh", "-c", "echo; exec sleep 1000000"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  return holder.pid!;
}
