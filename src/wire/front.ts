/**
 * What the front of `dist/cais` and the engine say to each other. The front (`src/front`) is the machine code that
 * the kernel starts instead of the JavaScript runtime: it hands the command line to the engine, which has the same
 * commands loaded and warm, and passes on what comes back. Whatever it cannot have done there, the runtime in the
 * same file does, as if there were no front.
 */

/** Variables that name an engine; the first one that is set wins. */
export const HOST_VARIABLES = ["CAIS_HOST", "DOCKER_HOST"] as const;
/** The engine's run directory when nobody names another. */
export const DEFAULT_RUN = "/run/cais";
/** The engine's socket in its run directory. */
export const socketIn = (run: string): string => `${run}/cais.sock`;

/** The request. `build` is the build that front and engine must have in common: they are one program in two places. */
export function frontRequest(build: string): string {
  return `POST ${FRONT_PATH}?build=${build} HTTP/1.1\r\nHost: cais\r\nConnection: Upgrade\r\nUpgrade: cais\r\n\r\n`;
}

export const FRONT_PATH = "/cais/command";

/** The answer's headers where the engine takes the command; everything else means: not here. */
export const FRONT_HEADERS = "Connection: Upgrade\r\nUpgrade: cais\r\n";
export const FRONT_ANSWER = `HTTP/1.1 101 Switching Protocols\r\n${FRONT_HEADERS}\r\n`;

/**
 * Right after its request the front sends three 64-bit little-endian numbers: how many words the command line has,
 * the bytes of the working directory, the bytes of the rest. Then the directory, and the rest: the words, then
 * the environment, each with its NUL, as they lie in the memory of a process (execve(2)).
 */
export const CALL_HEAD = { words: 0, directory: 8, strings: 16, size: 24 } as const;
/** More than this the front does not send. */
export const CALL_LIMIT = 512 * 1024;

/** After that, both sides send records: two 64-bit little-endian numbers, and as many bytes as the second says. */
export const RECORD = { kind: 0, value: 8, size: 16 } as const;

/** What the engine sends. */
export const ORDER = {
  /** `value` bytes for standard output follow. */
  stdout: 1,
  /** `value` bytes for standard error follow. */
  stderr: 2,
  /** The command has ended, with this exit code. */
  exit: 3,
  /** Nothing has been done: the command needs a process of its own. Only ever the first record. */
  decline: 4,
  /** Do with signal number `value` what you would do without us. */
  signal: 5,
} as const;

/** What the front sends: it has got signal number `value`. */
export const NOTICE = { signal: 1 } as const;

/**
 * Signals that are for a command, and for the container that it stands for: those that people and supervisors send. The
 * front tells the engine of them. What the kernel tells a process about itself stays with it.
 */
export const COMMAND_SIGNALS = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGTERM",
  "SIGCONT",
  "SIGTSTP",
  "SIGWINCH",
] as const;
