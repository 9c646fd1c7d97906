import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { killAll } from "../../cgroup/kill.ts";
import type { Layout } from "../../cgroup/layout.ts";
import { startProgram } from "../../host/program.ts";
import { unnamedPrograms } from "../../host/unnamed.ts";
import { cannotExecute, StepError } from "../../plan/error.ts";
import { explain, explainJson } from "../../plan/explain.ts";
import type { LowerOptions, NumberedStep } from "../../plan/program/numbered.ts";
import { script } from "../../plan/script/script.ts";
import type { TraceStep } from "../../wire/trace.ts";
import { launchPlan } from "../launch/plan.ts";
import type { Launcher, Running } from "../launcher.ts";
import { formatTime } from "../time.ts";
import { adopt } from "./adopt.ts";
import { tellTaken } from "./control.ts";
import { type First, follow } from "./follow.ts";
import { removeNote, writeNote } from "./note.ts";
import { createOutlet } from "./outlet.ts";
import { createPrograms, type Prepared } from "./programs.ts";
import { createRemovals } from "./release.ts";
import { openReports } from "./reports.ts";
import { createRunning } from "./running.ts";
import { readTrace } from "./trace.ts";

export interface LauncherOptions {
  /** The engine's run directory: the report FIFO and an empty directory to mount roots on are in it. */
  readonly run: string;
  /** A directory of the engine's own, for programs where memory is mounted noexec. */
  readonly programs: string;
  readonly layout: Layout;
  /** For tests: the step of the next program that is to fail instead of being made. */
  readonly inject?: () => LowerOptions["inject"];
}

/** A launcher, and what ends with the engine. */
export interface OwnedLauncher extends Launcher {
  close(): Promise<void>;
}

/** How many traced starts are remembered. */
const TRACES = 64;

/** The launcher: plans, programs and keepers. */
export async function createLauncher(options: LauncherOptions): Promise<OwnedLauncher> {
  const { layout, programs: directory, run } = options;
  for (const each of [run, directory]) mkdirSync(each, { recursive: true, mode: 0o700 });
  const reports = await openReports(join(run, "reports"), directory);
  const programs = createPrograms({ layout, reports: reports.path, run });
  const runUnnamed = unnamedPrograms(["/dev/shm"], directory);
  const removals = createRemovals(reports, layout);
  const traces = new Map<string, readonly TraceStep[]>();

  const launch = async (
    { id, runDir }: { readonly id: string; readonly runDir: string },
    { note, program: programFor }: Prepared,
    trace: boolean,
  ): Promise<Running> => {
    const inject = options.inject?.();
    const program = programFor({
      ...(trace ? { trace: `${runDir}.trace` } : {}),
      ...(inject === undefined ? {} : { inject }),
    });
    await removals.done(runDir);
    if (existsSync(runDir)) throw new Error(`Cannot launch ${id.slice(0, 12)}: ${runDir} is there already`);
    const outlet = createOutlet(runDir, note.terminal, false, (stream, offset) => {
      tellTaken(runDir, stream, offset);
    });
    const following = follow(reports, layout, runDir, note, outlet);
    writeNote(runDir, note);
    try {
      runUnnamed(program.elf, (path) =>
        startProgram(path, `cais-keeper ${id.slice(0, 12)}`, following.programEnded),
      );
    } catch (error) {
      reports.forget(note.token);
      removeNote(runDir);
      throw cannotExecute(directory, error);
    }
    const first = await following.first;
    if (trace) keepTrace(runDir, program.steps);
    if (first.kind === "started") {
      return createRunning({
        id,
        runDir,
        pid: first.pid,
        keeper: first.keeper,
        startedAt: formatTime(first.time),
        terminal: note.terminal,
        stdin: note.stdin,
        exited: following.exited,
        outlet,
        released: () => removals.begin(runDir, note),
      });
    }
    await following.gone;
    if (first.kind === "failed") {
      // The program has undone what it made; a directory that is still there belongs to somebody else.
      reports.forget(note.token);
      removeNote(runDir);
    } else {
      if (note.cgroupDirectories.length > 0) await killAll(layout, note.cgroup);
      removals.begin(runDir, note);
    }
    throw launchError(id, first, program.steps);
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
    async start(request) {
      // The address may be that of a container which has just ended, and whose interface is still there.
      if (request.endpoints?.some(({ link }) => link.driver !== "bridge")) await removals.all();
      const token = randomBytes(16);
      return launch(request, programs.start(request, token), request.trace);
    },
    exec(request) {
      const token = randomBytes(16);
      return launch(request, programs.exec(request, token), false);
    },
    adopt: (id, runDir) => adopt({ reports, layout, removals }, id, runDir),

    explain(request, form, before = []) {
      const facts = programs.facts(request);
      // The engine makes these only when it starts the container.
      const toBeFile = (path: string) => /\/(hosts|hostname|resolv\.conf)$/.test(path) && !existsSync(path);
      const { steps } = launchPlan({
        ...facts,
        isDirectory: (path) => !toBeFile(path) && facts.isDirectory(path),
      });
      const plan = { steps: [...before.flatMap((each) => each.steps), ...steps] };
      if (form === "json") return explainJson(plan);
      if (form === "script") return script(plan);
      return explain(plan);
    },

    trace: async (runDir) => traces.get(runDir) ?? null,
    close: () => reports.close(),
  };
}

/** Why a start came to nothing. */
function launchError(
  id: string,
  first: Exclude<First, { kind: "started" }>,
  steps: readonly NumberedStep[],
): Error {
  const step = first.kind === "failed" ? first.step : 0;
  const failed = steps[step];
  if (first.kind === "failed" && failed !== undefined) return new StepError(step, failed, first.errno);
  // Only the first step, which opens the way to report, can fail without a report; the program ends with its errno.
  if (first.kind === "lost" && failed !== undefined && first.code)
    return new StepError(0, failed, first.code);
  return new Error(`Cannot launch ${id.slice(0, 12)}: the launch program was killed`);
}
