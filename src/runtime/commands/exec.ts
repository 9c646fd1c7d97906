import { mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { CgroupPlan } from "../../cgroup/plan.ts";
import { type ExecFacts, execPlan } from "../../container/launch/exec.ts";
import { refuseInProcess } from "../../container/launch/machine.ts";
import { ownRights } from "../../kernel/rights.ts";
import { readExecProcess } from "../../oci/runtime/config.ts";
import type { Linux } from "../../oci/runtime/linux.ts";
import type { Process } from "../../oci/runtime/spec.ts";
import { type Arguments, atLeast, numberOf } from "../arguments.ts";
import { joinCgroups } from "../cgroups.ts";
import { type Context, directoryOf, type RuntimeCommand } from "../context.ts";
import {
  callersOpenFiles,
  callersTerminal,
  checkConsole,
  ownedStreams,
  preservedDescriptors,
} from "../descriptors.ts";
import { RuntimeError, wordsOf } from "../failure.ts";
import { withHome } from "../home.ts";
import { launch, launchAndWait, prepare } from "../program.ts";
import { needsCgroup, noCgroups } from "../rootless.ts";
import { conditionOf } from "../status.ts";
import { type ContainerDocument, readDocument } from "../store.ts";

/** What runc ends with when the process could not be run. */
const FAILED = 255;

/** `exec ID [COMMAND…]`: one more process in the container. */
const exec: RuntimeCommand = {
  flags: {
    "console-socket": { value: true },
    cwd: { value: true },
    env: { short: "e", value: true },
    tty: { short: "t" },
    user: { short: "u", value: true },
    "additional-gids": { short: "g", value: true },
    process: { short: "p", value: true },
    detach: { short: "d" },
    "pid-file": { value: true },
    "process-label": { value: true },
    apparmor: { value: true },
    "no-new-privs": {},
    cap: { short: "c", value: true },
    "preserve-fds": { value: true },
    cgroup: { value: true },
    "ignore-paused": {},
  },
  takesCommand: true,
  async run(context, given) {
    const [id = "", ...args] = atLeast(given, 1, "exec");
    try {
      return await execute(context, id, args, given);
    } catch (error) {
      throw new RuntimeError(`exec failed: ${wordsOf(error)}`, FAILED);
    }
  },
};
export default exec;

async function execute(
  context: Context,
  id: string,
  args: readonly string[],
  given: Arguments,
): Promise<number> {
  const document = readDocument(context.root, id);
  const container = directoryOf(context, id);
  const { pid, status } = conditionOf(container, document);
  if (status === "stopped" || status === "creating")
    throw new RuntimeError("cannot exec in a stopped container");
  if (status === "paused" && !given.has("ignore-paused"))
    throw new RuntimeError("cannot exec in a paused container (use --ignore-paused to override)");
  const stays = !given.has("detach");
  const preserved = preservedDescriptors(numberOf(given, "preserve-fds"));
  const asked = withHome(processOf(document, args, given, context), document.rootfs);
  const process: Process = { ...asked, env: [...(asked.env ?? []), ...preserved.env] };
  for (const warning of refuseInProcess(process)) context.log.warn(warning);
  const consoleSocket = given.get("console-socket");
  checkConsole(process, consoleSocket, !stays);
  const pidFile = given.get("pid-file");
  const directory = mkdtempSync(join(container, "exec-"));
  try {
    const plan = execPlan({
      process,
      seccomp: document.seccomp,
      origins: new Map(),
      sameKeyring: document.sameKeyring === true,
      pid,
      ownUsers: differs(pid, "user"),
      ownRoot: document.sharesMounts === true,
      ownTime: differs(pid, "time"),
      from: {
        spec: {
          ociVersion: document.ociVersion,
          ...(document.annotations === undefined ? {} : { annotations: document.annotations }),
          linux: attributesOf(document),
        },
        bundle: { id, path: document.bundle, root: document.rootfs },
      },
      cgroups: cgroupsFor(document, pid, given.all("cgroup")),
      ...ofRights(pid),
      caller: {
        directory,
        waits: false,
        stays,
        preserve: preserved.count,
        owned: ownedStreams(process),
        ...callersOpenFiles(),
        ...callersTerminal(process, consoleSocket),
        ...(consoleSocket === undefined ? {} : { consoleSocket: resolve(consoleSocket) }),
        ...(pidFile === undefined ? {} : { pidFile: resolve(pidFile) }),
      },
    });
    const it = prepare(plan, process, directory, preserved.count);
    if (stays) return await launchAndWait(it);
    launch(it);
    return 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What each process of the container has, the first as those that come later. */
function attributesOf({ memoryPolicy, personality }: ContainerDocument): Linux {
  return {
    ...(memoryPolicy === undefined ? {} : { memoryPolicy }),
    ...(personality === undefined ? {} : { personality }),
  };
}

function cgroupsFor(document: ContainerDocument, pid: number, wanted: readonly string[]): CgroupPlan {
  if (wanted.length > 0) needsCgroup(document, "choose a cgroup in");
  return document.noCgroup === true ? noCgroups(document.cgroup) : joinCgroups(document.cgroup, pid, wanted);
}

/** What the kernel takes from the machine's root only has to be left out by others. */
function ofRights(pid: number): Pick<ExecFacts, "rights" | "same"> {
  const rights = ownRights();
  if (rights === "machine") return {};
  const kinds = [
    ["cgroup", "NEWCGROUP"],
    ["uts", "NEWUTS"],
    ["ipc", "NEWIPC"],
    ["net", "NEWNET"],
  ] as const;
  return { rights, same: kinds.flatMap(([file, kind]) => (differs(pid, file) ? [] : [kind])) };
}

/** Whether the container is in another namespace of this type than we are: made for it, or joined. */
function differs(pid: number, type: "user" | "time" | "cgroup" | "uts" | "ipc" | "net"): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/${type}`) !== readlinkSync(`/proc/self/ns/${type}`);
  } catch {
    // A kernel without them.
    return false;
  }
}

/** The process of `--process`, or the container's own with what the command line says. */
function processOf(
  document: ContainerDocument,
  args: readonly string[],
  given: Arguments,
  context: Context,
): Process {
  const file = given.get("process");
  if (file !== undefined) {
    const { value, warnings } = readExecProcess(readFileSync(file), file);
    for (const warning of warnings) context.log.warn(warning);
    return value;
  }
  if (args.length === 0) throw new RuntimeError("process args cannot be empty");
  const base = document.process;
  const caps = given.all("cap");
  const with_ = (set: readonly string[] = []) => [...new Set([...set, ...caps])];
  const { ambient, bounding, effective, inheritable, permitted } = base.capabilities ?? {};
  const cwd = given.get("cwd");
  if (cwd !== undefined && !cwd.startsWith("/")) throw new RuntimeError("Cwd must be an absolute path");
  const apparmorProfile = given.get("apparmor");
  const selinuxLabel = given.get("process-label");
  return {
    ...base,
    terminal: given.has("tty"),
    args,
    env: [...(base.env ?? []), ...given.all("env")],
    user: userOf(base, given),
    ...(cwd === undefined ? {} : { cwd }),
    ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
    ...(selinuxLabel === undefined ? {} : { selinuxLabel }),
    ...(given.has("no-new-privs") ? { noNewPrivileges: true } : {}),
    ...(caps.length === 0
      ? {}
      : {
          capabilities: {
            ...base.capabilities,
            bounding: with_(bounding),
            effective: with_(effective),
            permitted: with_(permitted),
            // An ambient one has to be inheritable, and to that set nothing is added (runc 1.3).
            ...(inheritable === undefined ? {} : { ambient: with_(ambient) }),
          },
        }),
  };
}

function userOf({ user }: Process, given: Arguments): Process["user"] {
  const [uid, gid] = (given.get("user") ?? "").split(":").map(identity);
  const groups = given.all("additional-gids").map((each) => identity(each) ?? 0);
  return {
    ...user,
    uid: uid ?? user.uid,
    gid: gid ?? user.gid,
    ...(groups.length === 0 ? {} : { additionalGids: [...(user.additionalGids ?? []), ...groups] }),
  };
}

function identity(text: string): number | undefined {
  if (text === "") return undefined;
  if (!/^\d{1,10}$/.test(text))
    throw new RuntimeError(`Cannot use ${text} as a user or group: give its number`);
  return Number(text);
}
