import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { killAll } from "../../cgroup/kill.ts";
import type { Layout } from "../../cgroup/layout.ts";
import { limits, usedTrees } from "../../cgroup/limits.ts";
import { type Parent, prepareParent } from "../../cgroup/parent.ts";
import { remove as removeCgroup } from "../../cgroup/remove.ts";
import { startProgram } from "../../host/program.ts";
import { fillWires, wiresShape } from "../../network/wires/launch.ts";
import type { Seccomp } from "../../oci/runtime/seccomp.ts";
import { type CompileOptions, compile, type Program } from "../../plan/compile.ts";
import { cannotExecute, StepError } from "../../plan/error.ts";
import { explain, explainJson } from "../../plan/explain.ts";
import type { LowerOptions, NumberedStep } from "../../plan/program/lower.ts";
import { writeProgram } from "../../plan/run.ts";
import { script } from "../../plan/script/script.ts";
import type { TraceStep } from "../../wire/trace.ts";
import { execPlan } from "../launch/exec.ts";
import { launchPlan } from "../launch/plan.ts";
import { RUN_FILES } from "../launch/session.ts";
import type { Ended, ExecRequest, Launcher, LaunchRequest, Running } from "../launcher.ts";
import { formatTime } from "../time.ts";
import { readEnd } from "./adopt.ts";
import { type First, type Following, follow, untilKeeping } from "./follow.ts";
import {
  isAlive,
  oldestChild,
  readKeeper,
  readNote,
  removeNote,
  removeRunFiles,
  type StartNote,
  writeNote,
} from "./note.ts";
import { makePlaces, withPlaces } from "./places.ts";
import { released } from "./release.ts";
import { openReports } from "./reports.ts";
import { openRunning, type Started } from "./running.ts";
import { createNumbering, createStencils } from "./stencils.ts";
import { readTrace } from "./trace.ts";

export interface LauncherOptions {
  /** The engine's run directory: the report FIFO and an empty directory to mount roots on are in it. */
  readonly run: string;
  /** Where programs are written; its file system must allow execution. */
  readonly programs: string;
  readonly layout: Layout;
  /** For tests: the step of the next program that is to fail instead of being made. */
  readonly inject?: () => LowerOptions["inject"];
}

/** A launcher, and what ends with the engine. */
export interface OwnedLauncher extends Launcher {
  close(): Promise<void>;
}

/** How many kinds of programs are kept, some 20 KiB each. */
const STENCILS = 64;
const NO_RESOURCES = {};

/** Its layers are shown through idmapped mounts, which not every file system of a run directory has. */
const ownUsers = ({ spec }: LaunchRequest): boolean =>
  (spec.linux?.namespaces ?? []).some(({ path, type }) => type === "user" && path === undefined);

const cgroupPath = ({ id, spec }: LaunchRequest): string => spec.linux?.cgroupsPath ?? `/cais/${id}`;

/** How soon a process that has closed its files is looked at again. */
const DYING_MS = 20;

/** How many traced starts are remembered. */
const TRACES = 64;

/** The launcher: plans, programs and keepers. */
export async function createLauncher(options: LauncherOptions): Promise<OwnedLauncher> {
  const { layout, programs, run } = options;
  const rootPlace = join(run, "rootfs");
  for (const directory of [run, programs, rootPlace]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const places = join(run, "places");
  makePlaces(places);
  const reports = await openReports(join(run, "reports"), programs);
  const parents = new Map<string, Parent>();
  const traces = new Map<string, readonly TraceStep[]>();
  const stencils = createStencils(STENCILS);
  const numberOf = createNumbering();
  /** Starts on their way out, by run directory; the next one waits for that. */
  const removals = new Map<string, Promise<void>>();

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

  const isDirectory = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? true;

  /** Everything that a program is made from, as text; what has no text is numbered or asked for now. */
  const shapeOf = (request: LaunchRequest): string => {
    const { linux, ...spec } = request.spec;
    const { seccomp, ...rest } = linux ?? {};
    const sources = (request.spec.mounts ?? []).flatMap(({ source }) =>
      source?.startsWith("/") ? [source] : [],
    );
    return JSON.stringify({
      ...request,
      spec: { ...spec, linux: rest },
      origins: [...request.origins],
      seccomp: numberOf(seccomp),
      endpoints: wiresShape(request.endpoints ?? []),
      directories: sources.map((path) => [path, isDirectory(path)]),
    });
  };

  /** The request that a shape was made from, with the seccomp policy that has no text in it. */
  const requestOf = (shape: string, id: string, seccomp: Seccomp | undefined) => {
    const plain = JSON.parse(shape) as Omit<LaunchRequest, "origins"> & {
      readonly origins: readonly (readonly [string, string])[];
      readonly directories: readonly (readonly [string, boolean])[];
    };
    const linux = seccomp === undefined ? plain.spec.linux : { ...plain.spec.linux, seccomp };
    return {
      ...plain,
      id,
      spec: linux === undefined ? plain.spec : { ...plain.spec, linux },
      origins: new Map(plain.origins),
      directories: new Map(plain.directories),
    };
  };

  const factsOf = (
    request: LaunchRequest,
    token: Uint8Array,
    directories: ReadonlyMap<string, boolean> = new Map(),
  ) => ({
    spec: request.spec,
    origins: request.origins,
    rootfs: ownUsers(request) ? request.rootfs : withPlaces(request.rootfs, places),
    cgroups: cgroupsOf(cgroupPath(request), request.spec.linux?.resources ?? NO_RESOURCES),
    trees: usedTrees(layout),
    runDir: request.runDir,
    reports: reports.path,
    program: programPath(programs, token),
    rootPlace,
    token,
    stdin: request.stdin,
    init: request.init,
    endpoints: request.endpoints ?? [],
    ...(request.bundle === undefined ? {} : { bundle: request.bundle }),
    isDirectory: (path: string) => directories.get(path) ?? isDirectory(path),
  });

  /** The keeper undoes what it made; what is left after that, or without a keeper, is swept here. */
  const finish = (runDir: string, note: StartNote) => () => {
    const removal = released(reports, runDir, note).then(async () => {
      reports.forget(note.token);
      if (existsSync(runDir)) removeRunFiles(runDir);
      // What was still dying when the keeper came by keeps some of them.
      if (note.cgroupDirectories.some((directory) => existsSync(directory)))
        await removeCgroup(layout, note.cgroup).catch(() => undefined);
      // The note goes last: while there is one, a later engine clears up what this one did not get to.
      removeNote(runDir);
      removals.delete(runDir);
    });
    removals.set(runDir, removal);
  };

  const launch = async (
    id: string,
    runDir: string,
    token: Uint8Array,
    note: StartNote,
    trace: boolean,
    programFor: (options: CompileOptions) => Program,
  ): Promise<Running> => {
    const inject = options.inject?.();
    const program = programFor({
      ...(trace ? { trace: `${runDir}.trace` } : {}),
      ...(inject === undefined ? {} : { inject }),
    });
    const path = programPath(programs, token);
    mkdirSync(join(runDir, ".."), { recursive: true, mode: 0o700 });
    await removals.get(runDir);
    if (existsSync(runDir)) throw new Error(`Cannot launch ${id.slice(0, 12)}: ${runDir} is there already`);
    const following = follow(reports, layout, runDir, note);
    writeNote(runDir, note);
    try {
      writeProgram(path, program.elf);
      startProgram(path, `cais-keeper ${id.slice(0, 12)}`, following.programEnded);
    } catch (error) {
      rmSync(path, { force: true });
      reports.forget(note.token);
      removeNote(runDir);
      throw cannotExecute(path, error);
    }
    const first = await following.first;
    if (trace) keepTrace(runDir, program.steps);
    if (first.kind === "started")
      return openRunning(startedOf(id, runDir, note, first, following, finish(runDir, note)));
    await following.gone;
    rmSync(path, { force: true });
    if (first.kind === "failed") {
      // The program has undone what it made; a directory that is still there belongs to somebody else.
      reports.forget(note.token);
      removeNote(runDir);
    } else {
      if (note.cgroupDirectories.length > 0) await killAll(layout, note.cgroup);
      finish(runDir, note)();
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
    start(request) {
      const token = randomBytes(16);
      const namespaces = request.spec.linux?.namespaces ?? [];
      const own = (type: string) => namespaces.some((each) => each.type === type && each.path === undefined);
      const { cgroup, directories } = cgroupsOf(cgroupPath(request), NO_RESOURCES);
      const note: StartNote = {
        token: token.toString("hex"),
        terminal: request.spec.process?.terminal === true,
        stdin: request.stdin,
        ownPids: own("pid"),
        ownUsers: own("user"),
        ownTime: own("time"),
        cgroup,
        cgroupDirectories: directories,
      };
      return launch(request.id, request.runDir, token, note, request.trace, (options) => {
        if (Object.keys(options).length > 0) return compile(launchPlan(factsOf(request, token)), options);
        const { seccomp } = request.spec.linux ?? {};
        const program = stencils.program(shapeOf(request), request.id, token, (shape, id, anyToken) => {
          const any = requestOf(shape, id, seccomp);
          return compile(launchPlan(factsOf(any, anyToken, any.directories)));
        });
        return fillWires(program, request.endpoints ?? []);
      });
    },

    exec(request: ExecRequest) {
      const token = randomBytes(16);
      const container = readNote(request.container.runDir);
      if (container === null)
        throw new Error(`Cannot execute in ${request.container.id}: it has no run directory any more`);
      const { attach, unified } = cgroupsOf(container.cgroup, NO_RESOURCES);
      const { seccomp } = request;
      const facts = {
        process: request.process,
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
        stdin: request.stdin,
      };
      const note: StartNote = {
        ...container,
        token: token.toString("hex"),
        terminal: request.process.terminal === true,
        stdin: request.stdin,
        cgroupDirectories: [],
      };
      return launch(request.id, request.runDir, token, note, false, (options) => {
        const planOf = (plain: typeof facts, anyToken: Uint8Array) =>
          execPlan({
            ...plain,
            seccomp,
            origins: request.origins,
            program: programPath(programs, anyToken),
            token: anyToken,
          });
        if (Object.keys(options).length > 0) return compile(planOf(facts, token), options);
        const shape = JSON.stringify({ facts, seccomp: numberOf(seccomp), origins: [...request.origins] });
        return stencils.program(shape, request.id, token, (any, _id, anyToken) =>
          compile(planOf((JSON.parse(any) as { facts: typeof facts }).facts, anyToken)),
        );
      });
    },

    async adopt(id: string, runDir: string): Promise<Running | Ended | null> {
      const note = readNote(runDir);
      if (note === null) {
        if (readKeeper(runDir)?.alive !== true) removeRunFiles(runDir);
        removeNote(runDir);
        return null;
      }
      const release = finish(runDir, note);
      // A start that had not got to its second step cannot get past it any more.
      if (!removeFile(join(programs, note.token))) await untilKeeping(reports, runDir, note.token);
      const end = await readEnd(runDir, note.token, reports, release);
      if (end !== null) {
        if (!note.ownPids && note.cgroupDirectories.length > 0) await killAll(layout, note.cgroup);
        return end;
      }
      const keeper = readKeeper(runDir);
      const pid = keeper?.alive === true ? oldestChild(keeper.pid) : null;
      if (keeper === null || pid === null) {
        if (note.cgroupDirectories.length > 0) await killAll(layout, note.cgroup);
        release();
        return null;
      }
      const following = follow(reports, layout, runDir, note);
      // A process that dies closes its files first: it is looked at again until its end is known in one way or the other.
      const gone = () => {
        if (!isAlive(keeper)) following.vanished();
        else if (!following.isOver()) setTimeout(gone, DYING_MS);
      };
      // The exit may have been written between the look and the listening; nobody reports it twice.
      if (existsSync(join(runDir, RUN_FILES.exit))) following.vanished();
      else if (!isAlive(keeper)) following.vanished();
      const first = {
        pid,
        keeper: keeper.pid,
        time: BigInt(keeper.since.getTime()) * 1_000_000n,
      };
      return openRunning({ ...startedOf(id, runDir, note, first, following, release), gone });
    },

    explain(request, form, before = []) {
      const facts = factsOf(request, new Uint8Array(16));
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

function programPath(directory: string, token: Uint8Array): string {
  return join(directory, Buffer.from(token).toString("hex"));
}

/** A start whose workload runs, from what was reported or found. */
function startedOf(
  id: string,
  runDir: string,
  note: StartNote,
  { keeper, pid, time }: { readonly keeper: number; readonly pid: number; readonly time: bigint },
  following: Following,
  released: () => void,
): Started {
  const { stdin, terminal } = note;
  const { exited } = following;
  return { id, runDir, pid, keeper, startedAt: formatTime(time), terminal, stdin, exited, released };
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

/** Whether there was such a file. */
function removeFile(path: string): boolean {
  const there = existsSync(path);
  rmSync(path, { force: true });
  return there;
}
