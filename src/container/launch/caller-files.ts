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
