import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { killAll } from "../../cgroup/kill.ts";
import type { Layout } from "../../cgroup/layout.ts";
import { limits } from "../../cgroup/limits.ts";
import { type Parent, prepareParent } from "../../cgroup/parent.ts";
import { remove as removeCgroup } from "../../cgroup/remove.ts";
import { startProgram } from "../../host/program.ts";
import { compile } from "../../plan/compile.ts";
import { cannotExecute, StepError } from "../../plan/error.ts";
import { explain, explainJson } from "../../plan/explain.ts";
import type { NumberedStep } from "../../plan/program/lower.ts";
import type { Report } from "../../plan/records.ts";
import { writeProgram } from "../../plan/run.ts";
import { script } from "../../plan/script/script.ts";
import type { Plan } from "../../plan/step.ts";
import { execPlan } from "../launch/exec.ts";
import { launchPlan } from "../launch/plan.ts";
import type { Ended, ExecRequest, Exit, Launcher, LaunchRequest, Running, TracedStep } from "../launcher.ts";
import { formatTime } from "../time.ts";
import { readEnd } from "./adopt.ts";
import { tellKeeper } from "./control.ts";
import {
  isAlive,
  oldestChild,
  readKeeper,
  readNote,
  removeNote,
  removeRunDirectory,
  type StartNote,
  writeNote,
} from "./note.ts";
import { openReports } from "./reports.ts";
import { exitOf, openRunning } from "./running.ts";
import { readTrace } from "./trace.ts";

export interface LauncherOptions {
  /** The engine's run directory: the report FIFO and an empty directory to mount roots on are in it. */
  readonly run: string;
  /** Where programs are written; its file system must allow execution. */
  readonly programs: string;
  readonly layout: Layout;
}

/** A launcher, and what ends with the engine. */
export interface OwnedLauncher extends Launcher {
  close(): void;
}

/** How long a released keeper may take to undo what it made. */
const PATIENCE_MS = 2000;

/** How many traced starts are remembered. */
const TRACES = 64;

/** The launcher: plans, programs and keepers. */
export async function createLauncher(options: LauncherOptions): Promise<OwnedLauncher> {
  const { layout, programs, run } = options;
  const rootPlace = join(run, "rootfs");
  for (const directory of [run, programs, rootPlace]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const reports = await openReports(join(run, "reports"), programs);
  const parents = new Map<string, Parent>();
  const traces = new Map<string, readonly TracedStep[]>();

  const cgroupsOf = (path: string, resources: Parameters<typeof limits>[2]) => {
    const cgroup = path.startsWith("/") ? path : `/${path}`;
    const above = cgroup.slice(0, cgroup.lastIndexOf("/")) || "/";
    let parent = parents.get(above);
    if (parent === undefined) {
      parent = prepareParent(layout, above);
      parents.set(above, parent);
    }
    return limits(parent, cgroup, resources);
  };

  const factsOf = (request: LaunchRequest, token: Uint8Array) => ({
    spec: request.spec,
    origins: request.origins,
    rootfs: request.rootfs,
    cgroups: cgroupsOf(
      request.spec.linux?.cgroupsPath ?? `/cais/${request.id}`,
      request.spec.linux?.resources ?? {},
    ),
    trees: layout.hierarchies,
    runDir: request.runDir,
    reports: reports.path,
    program: programPath(programs, token),
    rootPlace,
    token,
    stdin: request.stdin,
    init: request.init,
    isDirectory: (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? true,
  });

  /** Keepers that were released and are still undoing what they made. */
  const leaving = new Map<string, Promise<void>>();

  const sweep = async (runDir: string, note: StartNote) => {
    removeRunDirectory(runDir);
    if (note.cgroupDirectories.length > 0) await removeCgroup(layout, note.cgroup).catch(() => undefined);
  };

  /** The keeper undoes what it made; what is left after that, or without a keeper, is swept here. */
  const finish = (runDir: string, note: StartNote) => () => {
    const gone = new Promise<void>((resolve) => {
      if (!tellKeeper(runDir, "release")) return resolve();
      const late = setTimeout(resolve, PATIENCE_MS);
      reports.listen(note.token, (report) => {
        if (report.kind !== "gone") return;
        clearTimeout(late);
        resolve();
      });
    }).then(async () => {
      reports.forget(note.token);
      const last = note.cgroupDirectories[0];
      if (existsSync(runDir) || (last !== undefined && existsSync(last))) await sweep(runDir, note);
      leaving.delete(runDir);
    });
    leaving.set(runDir, gone);
  };

  /** Follow the reports of one start: the first decides whether it runs, the last is its exit. */
  const follow = (id: string, runDir: string, note: StartNote, steps: readonly NumberedStep[]) => {
    let exit: (exit: Exit) => void = () => undefined;
    const exited = new Promise<Exit>((resolve) => {
      exit = resolve;
    });
    const ended = async (report: Extract<Report, { kind: "exited" }>) => {
      // In a shared pid namespace the others live on; the container is its first process (runc, "kill --all").
      if (!note.ownPids && note.cgroupDirectories.length > 0) await killAll(layout, note.cgroup);
      exit(exitOf(report));
    };
    const running = new Promise<Running>((resolve, reject) => {
      reports.listen(note.token, (report) => {
        if (report.kind === "exited") void ended(report);
        if (report.kind === "failed") {
          reports.forget(note.token);
          // The program has undone what it made; a directory that is still there belongs to somebody else.
          removeNote(runDir);
          const failed = steps[report.step];
          reject(
            failed === undefined
              ? new Error(`Step ${report.step} failed`)
              : new StepError(report.step, failed, report.errno),
          );
        }
        if (report.kind !== "started") return;
        try {
          resolve(
            openRunning({
              id,
              runDir,
              pid: report.pid,
              keeper: report.keeper,
              startedAt: formatTime(report.time),
              terminal: note.terminal,
              stdin: note.stdin,
              exited,
              released: finish(runDir, note),
            }),
          );
        } catch (error) {
          reject(error);
        }
      });
    });
    return { running, exited, exit };
  };

  const launch = async (
    id: string,
    runDir: string,
    plan: Plan,
    token: Uint8Array,
    note: StartNote,
    trace: boolean,
  ): Promise<Running> => {
    await leaving.get(runDir);
    const program = compile(plan, trace ? { trace: `${runDir}.trace` } : {});
    const path = programPath(programs, token);
    mkdirSync(join(runDir, ".."), { recursive: true, mode: 0o700 });
    writeNote(runDir, note);
    writeProgram(path, program.elf);
    const { running } = follow(id, runDir, note, program.steps);
    const lost = new Promise<never>((_resolve, reject) => {
      try {
        startProgram(path, `cais-keeper ${id.slice(0, 12)}`, () => {
          // A keeper reports before it ends, and reports arrive before this: a program that could not begin.
          setTimeout(
            () =>
              reject(
                new Error(`Cannot launch ${id.slice(0, 12)}: the launch program ended without a report`),
              ),
            1000,
          ).unref();
        });
      } catch (error) {
        unlinkSync(path);
        removeRunDirectory(runDir);
        reject(cannotExecute(path, error));
      }
    });
    try {
      return await Promise.race([running, lost]);
    } finally {
      if (trace) keepTrace(runDir, program.steps);
    }
  };

  const keepTrace = (runDir: string, steps: readonly NumberedStep[]) => {
    const path = `${runDir}.trace`;
    if (!existsSync(path)) return;
    traces.set(runDir, readTrace(path, steps));
    unlinkSync(path);
    for (const oldest of traces.keys()) {
      if (traces.size <= TRACES) break;
      traces.delete(oldest);
    }
  };

  return {
    start(request) {
      const token = randomBytes(16);
      const facts = factsOf(request, token);
      const namespaces = request.spec.linux?.namespaces ?? [];
      const own = (type: string) => namespaces.some((each) => each.type === type && each.path === undefined);
      return launch(
        request.id,
        request.runDir,
        launchPlan(facts),
        token,
        {
          token: token.toString("hex"),
          terminal: request.spec.process?.terminal === true,
          stdin: request.stdin,
          ownPids: own("pid"),
          ownUsers: own("user"),
          ownTime: own("time"),
          cgroup: facts.cgroups.cgroup,
          cgroupDirectories: facts.cgroups.directories,
        },
        request.trace,
      );
    },

    exec(request: ExecRequest) {
      const token = randomBytes(16);
      const container = readNote(request.container.runDir);
      if (container === null)
        throw new Error(`Cannot execute in ${request.container.id}: it has no run directory any more`);
      const { attach, unified } = cgroupsOf(container.cgroup, {});
      const plan = execPlan({
        process: request.process,
        seccomp: request.seccomp,
        origins: request.origins,
        pid: request.container.pid,
        ownUsers: container.ownUsers,
        ownTime: container.ownTime,
        cgroups: {
          cgroup: container.cgroup,
          directories: [],
          writes: [],
          attach,
          ...(unified === undefined ? {} : { unified }),
        },
        runDir: request.runDir,
        reports: reports.path,
        program: programPath(programs, token),
        token,
        stdin: request.stdin,
      });
      return launch(
        request.id,
        request.runDir,
        plan,
        token,
        {
          ...container,
          token: token.toString("hex"),
          terminal: request.process.terminal === true,
          stdin: request.stdin,
          cgroupDirectories: [],
        },
        false,
      );
    },

    async adopt(id: string, runDir: string): Promise<Running | Ended | null> {
      const note = readNote(runDir);
      const keeper = readKeeper(runDir);
      if (note === null) return null;
      const release = finish(runDir, note);
      const end = await readEnd(runDir, note.token, reports, release);
      if (end !== null) return end;
      const pid = keeper === null || !isAlive(keeper) ? null : oldestChild(keeper.pid);
      if (keeper === null || pid === null) {
        release();
        return null;
      }
      const { exited, exit } = follow(id, runDir, note, []);
      // The exit may have been written between the look and the listening; nobody reports it twice.
      const already = await readEnd(
        runDir,
        note.token,
        { ...reports, listen: () => undefined, forget: () => undefined },
        release,
      );
      if (already !== null) exit(already.exited);
      return openRunning({
        id,
        runDir,
        pid,
        keeper: keeper.pid,
        startedAt: formatTime(BigInt(keeper.since.getTime()) * 1_000_000n),
        terminal: note.terminal,
        stdin: note.stdin,
        exited,
        released: release,
      });
    },

    explain(request, form) {
      const plan = launchPlan(factsOf(request, new Uint8Array(16)));
      if (form === "json") return explainJson(plan);
      if (form === "script") return script(plan);
      return explain(plan);
    },

    trace: async (runDir) => traces.get(runDir) ?? null,
    close: () => reports.close(),
  };
}

function programPath(directory: string, token: Uint8Array): string {
  return join(directory, Buffer.from(token).toString("hex"));
}
