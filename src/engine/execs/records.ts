import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { ContainerId, ExecId } from "../../container/id.ts";
import type { ExecConfig } from "../../wire/container.ts";
import type { Context } from "../context.ts";
import type { Exec } from "./exec.ts";

/**
 * What a later engine must know of an exec: `<run>/exec-records/<id>.json`. Below /run, because a process that was
 * started in a container does not outlive the machine. Written when it is made and when it has ended; that it runs is
 * told by its run directory.
 */
export interface ExecRecord {
  readonly id: ExecId;
  readonly container: ContainerId;
  readonly config: ExecConfig;
  readonly exitCode: number | null;
  /** A health check: nobody asks for it again. */
  readonly probe: boolean;
}

const folderOf = ({ run }: Pick<Context, "run">): string => `${run}/exec-records`;
const pathOf = (context: Pick<Context, "run">, id: string): string => `${folderOf(context)}/${id}.json`;

/** Replaces the record. @throws the kernel's error when /run is full */
export function saveExec(context: Pick<Context, "run">, exec: Exec): void {
  const { id, container, config, exitCode, probe } = exec;
  const record: ExecRecord = { id, container: container.record.id, config, exitCode, probe };
  const path = pathOf(context, id);
  writeFileSync(`${path}.half`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.half`, path);
}

/** Nobody can ask for it any more. */
export function forgetExec(context: Pick<Context, "run">, id: ExecId): void {
  rmSync(pathOf(context, id), { force: true });
}

/** The records that an earlier engine left; what is torn is removed. */
export function loadExecs(context: Pick<Context, "run">): readonly ExecRecord[] {
  mkdirSync(folderOf(context), { recursive: true, mode: 0o700 });
  return readdirSync(folderOf(context)).flatMap((name) => {
    const path = `${folderOf(context)}/${name}`;
    const record = parse(path);
    if (record === null || name !== `${record.id}.json`) {
      rmSync(path, { force: true });
      return [];
    }
    return [record];
  });
}

function parse(path: string): ExecRecord | null {
  try {
    const value = JSON.parse(readFileSync(path, "utf8")) as ExecRecord;
    return typeof value.id === "string" && Array.isArray(value.config?.Cmd) ? value : null;
  } catch {
    return null;
  }
}
