/** What the runtime, the launch programs that it makes, and the front call things on the disk. */

/** Where containers are, unless `--root` says otherwise: `<root>/<id>/`. */
export const RUNTIME_ROOT = "/run/cais-runtime";

/** A container's document; as long as it is there the container is. */
export const DOCUMENT = "state.json";

/** Files in the directory of a container, or of an exec while it starts; the launch program makes them. */
export const CALLER_FILES = {
  /** Where a failed step is told: step and errno, 64 bits each. */
  report: "report",
  /** FIFO that the created process reads its order to start from; open for as long as it waits. */
  start: "start",
  /** FIFO that closes when the workload runs, or tells which step failed. */
  reply: "reply",
  /** `/proc/<pid>/stat` of the process when it was made: its pid and start time. */
  process: "process",
} as const;
