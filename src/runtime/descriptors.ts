import { fstatSync, readFileSync } from "node:fs";
import { isatty } from "node:tty";
import type { CallerFacts } from "../container/launch/caller.ts";
import type { Process } from "../oci/runtime/spec.ts";
import { RuntimeError } from "./failure.ts";

/** `dev_t` of /dev/null: 1:3. */
const NULL_DEVICE = 0x103;

/** Which of 0, 1 and 2 are to belong to the process's user, so that it can open them again. */
export function ownedStreams({ terminal, user }: Process): readonly number[] {
  if (terminal === true || user.uid === 0) return [];
  return [0, 1, 2].filter((descriptor) => {
    try {
      const stat = fstatSync(descriptor);
      return stat.uid !== user.uid && stat.rdev !== NULL_DEVICE;
    } catch {
      return false;
    }
  });
}

/** The caller's limit of open files: the JavaScript runtime has raised this process's own to the hard one. */
export function callersOpenFiles(): Pick<CallerFacts, "openFiles"> {
  try {
    const limits = readFileSync(`/proc/${process.ppid}/limits`, "utf8");
    const [, soft, hard] = /^Max open files\s+(\d+)\s+(\d+)/m.exec(limits) ?? [];
    if (soft === undefined || hard === undefined || soft === hard) return {};
    return { openFiles: { soft: Number(soft), hard: Number(hard) } };
  } catch {
    return {};
  }
}

/** Descriptors that a socket-activated caller has (sd_listen_fds(3)), and those that it asks for besides. */
export function preservedDescriptors(asked: number | undefined): {
  readonly count: number;
  readonly env: readonly string[];
} {
  const { LISTEN_FDS = 0, LISTEN_PID } = process.env;
  const listening = LISTEN_PID === String(process.pid) ? Number(LISTEN_FDS) : 0;
  const sockets = Number.isInteger(listening) && listening > 0 ? listening : 0;
  const count = sockets + (asked ?? 0);
  if (count < 0 || count > 1024) throw new RuntimeError(`Cannot preserve ${count} descriptors`);
  for (let descriptor = 3; descriptor < 3 + count; descriptor++)
    try {
      fstatSync(descriptor);
    } catch {
      throw new RuntimeError(
        `please check that preserved-fd ${descriptor - 3} (of ${count}) is present: descriptor ${descriptor} is not open`,
      );
    }
  return { count, env: sockets === 0 ? [] : [`LISTEN_FDS=${sockets}`, "LISTEN_PID=1"] };
}

/** The caller's own terminal, where it has one to type at and the process is to have one without a socket for it. */
export function callersTerminal(
  process: Process,
  socket: string | undefined,
): Pick<CallerFacts, "callersTerminal"> {
  return process.terminal === true && socket === undefined && isatty(0) ? { callersTerminal: 0 } : {};
}

/** Where a terminal goes; callers that leave the process must say where. */
export function checkConsole(process: Process, socket: string | undefined, leaves: boolean): void {
  const terminal = process.terminal === true;
  if (terminal && leaves && socket === undefined)
    throw new RuntimeError("cannot allocate tty if runc will detach without setting console socket");
  if (socket !== undefined && !(leaves && terminal))
    throw new RuntimeError("cannot use console socket if runc will not detach or allocate tty");
  if (socket !== undefined && Buffer.byteLength(socket) > 107)
    throw new RuntimeError(`Cannot reach the console socket: ${socket} is longer than 107 bytes`);
}
