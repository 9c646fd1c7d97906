import type { ExecRequest, LaunchRequest, Running } from "../container/launcher.ts";
import type { Container } from "./container.ts";
import { cgroupOf } from "./containers/freeze.ts";
import type { Context } from "./context.ts";
import type { Exec } from "./execs/exec.ts";

/** Where a start keeps its FIFOs, pids and exit record. */
export const runDirOf = (context: Context, id: string): string => `${context.run}/containers/${id}`;
export const execRunDirOf = (context: Context, id: string): string => `${context.run}/execs/${id}`;

/** Everything that the launcher needs to start a container as it is recorded. */
export function launchRequest(context: Context, container: Container, trace: boolean): LaunchRequest {
  const { record } = container;
  const { config, host } = record;
  return {
    id: record.id,
    runDir: runDirOf(context, record.id),
    spec: {
      ociVersion: "1.2.0",
      process: {
        user: { uid: 0, gid: 0 },
        args: [record.path, ...record.args],
        env: config.Env ?? [],
        cwd: config.WorkingDir || "/",
        terminal: config.Tty ?? false,
      },
      linux: { cgroupsPath: cgroupOf(context, container) },
    },
    origins: new Map(),
    rootfs: context.images.driver.rootfs(record.id),
    stdin: config.OpenStdin ?? false,
    trace,
    init: host.Init ?? false,
  };
}

/** The same for a further process. */
export function execRequest(context: Context, exec: Exec, container: Running): ExecRequest {
  const { config } = exec;
  return {
    id: exec.id,
    runDir: execRunDirOf(context, exec.id),
    container,
    process: {
      user: { uid: 0, gid: 0 },
      args: config.Cmd ?? [],
      env: config.Env ?? [],
      cwd: config.WorkingDir || "/",
      terminal: config.Tty ?? false,
    },
    stdin: config.AttachStdin ?? false,
    privileged: config.Privileged ?? false,
    origins: new Map(),
  };
}
