import * as fs from "node:fs";
import { type DiffId, digestOf } from "../oci/digest.ts";
import type { ImageConfig } from "../oci/image.ts";
import { hostPlatform } from "../oci/platform.ts";
import { adoptedChain } from "../storage/overlay.ts";
import type { Context } from "./context.ts";

/** The name of the built-in image. */
export const HOST_NAME = "docker.io/library/host:latest";
const HOST_CHAIN = adoptedChain("host");
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The image `host`: a view of this machine's own root file system, with what the engine keeps (`hidden`, absolute
 * paths) not to be seen. It has no archive; its id depends on nothing that changes, but root's shell.
 */
export async function addHostImage(context: Context, hidden: readonly string[]): Promise<void> {
  await context.driver.adopt(HOST_CHAIN, ["/"], hidden);
  const diffId = HOST_CHAIN as unknown as DiffId;
  const config: ImageConfig = {
    ...hostPlatform(),
    created: "1970-01-01T00:00:00Z",
    config: { Env: [`PATH=${PATH}`], Cmd: [rootShell()], WorkingDir: "/" },
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created: "1970-01-01T00:00:00Z", created_by: "this machine's root file system" }],
    comment: "A copy-on-write view of this machine",
  };
  const id = digestOf(JSON.stringify(config));
  context.store.put({ id, layers: [{ diffId, chainId: HOST_CHAIN }], builtIn: true }, config);
  context.store.name(HOST_NAME, id);
}

/** What root logs in with, if it can be run. */
function rootShell(): string {
  let listed = "";
  try {
    const line = fs
      .readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((entry) => /^[^:]*:[^:]*:0:/.test(entry));
    listed = line?.split(":")[6] ?? "";
  } catch {
    // A machine without a password file has a shell all the same.
  }
  const candidates = [listed, "/bin/bash", "/bin/sh"];
  return candidates.find((path) => path.startsWith("/") && fs.existsSync(path)) ?? "/bin/sh";
}
