import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { cgroupForMore } from "../../cgroup/inner.ts";
import type { Layout } from "../../cgroup/layout.ts";
import { directoriesOf, limits, usedTrees } from "../../cgroup/limits.ts";
import { type Parent, prepareParent } from "../../cgroup/parent.ts";
import { fillWires, wiresShape } from "../../network/wires/launch.ts";
import type { Seccomp } from "../../oci/runtime/seccomp.ts";
import { type CompileOptions, compile, type Program } from "../../plan/compile.ts";
import { execPlan } from "../launch/exec.ts";
import { type LaunchFacts, launchPlan } from "../launch/plan.ts";
import type { ExecRequest, LaunchRequest } from "../launcher.ts";
import { readNote, type StartNote } from "./note.ts";
import { makePlaces, withPlaces } from "./places.ts";
import { createNumbering, createStencils } from "./stencils.ts";

/** Where programs find things; all of it is made when it is not there. */
export interface ProgramPlaces {
  /** The engine's run directory. */
  readonly run: string;
  /** The engine's report FIFO. */
  readonly reports: string;
  readonly layout: Layout;
}

/** A start before its program is compiled. */
export interface Prepared {
  /** What a later engine must know of it. */
  readonly note: StartNote;
  readonly program: (options: CompileOptions) => Program;
}

/** From requests to programs. */
export interface Programs {
  /** `token` is 16 random bytes that name this start. */
  start(request: LaunchRequest, token: Uint8Array): Prepared;
  exec(request: ExecRequest, token: Uint8Array): Prepared;
  /** What the plan of a start is made from, without one. */
  facts(request: LaunchRequest): LaunchFacts;
}

/** How many kinds of programs are kept, some 20 KiB each. */
const STENCILS = 64;
const NO_RESOURCES = {};

/** Its layers are shown through idmapped mounts, which not every file system of a run directory has. */
const ownUsers = ({ spec }: LaunchRequest): boolean =>
  (spec.linux?.namespaces ?? []).some(({ path, type }) => type === "user" && path === undefined);

const absolute = (path: string): string => (path.startsWith("/") ? path : `/${path}`);

const cgroupPath = ({ id, spec }: LaunchRequest): string => spec.linux?.cgroupsPath ?? `/cais/${id}`;

/** Programs for this machine; those of the last kinds of starts are kept. */
export function createPrograms({ layout, reports, run }: ProgramPlaces): Programs {
  const rootPlace = join(run, "rootfs");
  const places = join(run, "places");
  for (const directory of [run, rootPlace]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  makePlaces(places);
  const parents = new Map<string, Parent>();
  const stencils = createStencils(STENCILS);
  const numberOf = createNumbering();

  const cgroupsOf = (path: string, resources: Parameters<typeof limits>[2]) => {
    const cgroup = absolute(path);
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
    reports,
    rootPlace,
    token,
    stdin: request.stdin,
    init: request.init,
    ownMounts: request.ownMounts ?? false,
    endpoints: request.endpoints ?? [],
    ...(request.bundle === undefined ? {} : { bundle: request.bundle }),
    isDirectory: (path: string) => directories.get(path) ?? isDirectory(path),
  });

  return {
    facts: (request) => factsOf(request, new Uint8Array(16)),

    start(request, token) {
      const namespaces = request.spec.linux?.namespaces ?? [];
      const own = (type: string) => namespaces.some((each) => each.type === type && each.path === undefined);
      const cgroup = absolute(cgroupPath(request));
      const note: StartNote = {
        token: Buffer.from(token).toString("hex"),
        terminal: request.spec.process?.terminal === true,
        stdin: request.stdin,
        ownPids: own("pid"),
        ownUsers: own("user"),
        ownTime: own("time"),
        cgroup,
        cgroupDirectories: directoriesOf(layout, cgroup),
      };
      const program = (options: CompileOptions) => {
        if (Object.keys(options).length > 0) return compile(launchPlan(factsOf(request, token)), options);
        const { seccomp } = request.spec.linux ?? {};
        const program = stencils.program(shapeOf(request), request.id, token, (shape, id, anyToken) => {
          const any = requestOf(shape, id, seccomp);
          return compile(launchPlan(factsOf(any, anyToken, any.directories)));
        });
        return fillWires(program, request.endpoints ?? []);
      };
      return { note, program };
    },

    exec(request, token) {
      const container = readNote(request.container.runDir);
      if (container === null)
        throw new Error(`Cannot execute in ${request.container.id}: it has no run directory any more`);
      const { attach, unified } = cgroupsOf(container.cgroup, NO_RESOURCES);
      const born =
        unified !== undefined && layout.mode === "v2"
          ? cgroupForMore(unified, container.cgroup, request.container.pid)
          : unified;
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
          ...(born === undefined ? {} : { unified: born }),
        },
        runDir: request.runDir,
        reports,
        stdin: request.stdin,
      };
      const note: StartNote = {
        ...container,
        token: Buffer.from(token).toString("hex"),
        terminal: request.process.terminal === true,
        stdin: request.stdin,
        cgroupDirectories: [],
      };
      const program = (options: CompileOptions) => {
        const planOf = (plain: typeof facts, anyToken: Uint8Array) =>
          execPlan({
            ...plain,
            seccomp,
            origins: request.origins,
            token: anyToken,
          });
        if (Object.keys(options).length > 0) return compile(planOf(facts, token), options);
        const shape = JSON.stringify({ facts, seccomp: numberOf(seccomp), origins: [...request.origins] });
        return stencils.program(shape, request.id, token, (any, _id, anyToken) =>
          compile(planOf((JSON.parse(any) as { facts: typeof facts }).facts, anyToken)),
        );
      };
      return { note, program };
    },
  };
}
