import { Refusal } from "../../oci/error.ts";

/** sd_listen_fds(3): descriptors begin after the standard streams. */
const FIRST = 3;

/** A socket that was there when this process began. */
export interface ActivatedSocket {
  readonly fd: number;
  /** `FileDescriptorName=` of its unit; empty where none was told. */
  readonly name: string;
}

/**
 * The sockets that systemd has opened for this process (sd_listen_fds(3)); its variables are taken away, so that no
 * child believes that they are its own.
 */
export function activatedSockets(environment: NodeJS.ProcessEnv): readonly ActivatedSocket[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count = "", LISTEN_FDNAMES: names = "" } = environment;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete environment[name];
  if (Number(pid) !== process.pid || !/^\d{1,4}$/.test(count)) return [];
  const list = names.split(":");
  return Array.from({ length: Number(count) }, (_, n) => ({ fd: FIRST + n, name: list[n] ?? "" }));
}

/** @param which empty is all, a number is a descriptor, else a name @throws Refusal when there is none */
export function chosenSockets(
  sockets: readonly ActivatedSocket[],
  which: string,
): readonly ActivatedSocket[] {
  if (sockets.length === 0) {
    throw new Refusal(
      "invalid",
      "no sockets found via socket activation: make sure the service was started by systemd",
    );
  }
  if (which === "") return sockets;
  const found = sockets.filter(({ fd, name }) => String(fd) === which || name === which);
  if (found.length > 0) return found;
  throw new Refusal(
    "invalid",
    `no socket '${which.slice(0, 80)}' was handed over: there are ${sockets.map(({ fd, name }) => name || fd).join(", ")}`,
  );
}
