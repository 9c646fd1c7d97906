import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { program } from "../support/skip.ts";

/** Programs that use real clients; each prints what it saw as JSON. */
export const PROGRAMS = join(import.meta.dirname, "programs");

/** Where the clients from the npm registry are installed, from the committed lock file. */
export const CLIENTS = resolve(import.meta.dirname, "../../.cache/clients");

/** Installs dockerode and testcontainers as the lock file has them. Returns why they cannot be had. */
export function clientsMissing(): string | undefined {
  const missing = program("node", "nodejs") ?? program("npm");
  if (missing !== undefined) return missing;
  if (existsSync(join(CLIENTS, "node_modules"))) return undefined;
  const half = `${CLIENTS}.half`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { recursive: true });
  for (const name of ["package.json", "package-lock.json"])
    copyFileSync(join(import.meta.dirname, "node", name), join(half, name));
  const installed = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: half,
    encoding: "utf8",
  });
  if (installed.status !== 0) {
    rmSync(half, { recursive: true, force: true });
    return `no clients from the npm registry: ${installed.stderr.trim().split("\n").at(-1)}`;
  }
  renameSync(half, CLIENTS);
  return undefined;
}
