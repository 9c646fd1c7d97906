/** Signals and their numbers, the same on x86-64 and aarch64: `asm-generic/signal.h`. */
export const SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

export type SignalName = keyof typeof SIGNALS;

/** In the words of Go's `syscall.Signal`, which people know from runc's errors; by number, from 1 on. */
const TEXTS = [
  "hangup",
  "interrupt",
  "quit",
  "illegal instruction",
  "trace/breakpoint trap",
  "aborted",
  "bus error",
  "floating point exception",
  "killed",
  "user defined signal 1",
  "segmentation fault",
  "user defined signal 2",
  "broken pipe",
  "alarm clock",
  "terminated",
  "stack fault",
  "child exited",
  "continued",
  "stopped (signal)",
  "stopped",
  "stopped (tty input)",
  "stopped (tty output)",
  "urgent I/O condition",
  "CPU time limit exceeded",
  "file size limit exceeded",
  "virtual timer expired",
  "profiling timer expired",
  "window changed",
  "I/O possible",
  "power failure",
  "bad system call",
];

/** What a signal is called; one that only has a number is "signal 40". */
export const signalText = (number: number): string => TEXTS[number - 1] ?? `signal ${number}`;

/** A set of signals as the kernel has it: one bit each, from the lowest (signal(7)). */
export const signalSet = (names: readonly SignalName[]): bigint =>
  names.reduce((set, name) => set | (1n << BigInt(SIGNALS[name] - 1)), 0n);

/** Other words for the same signals. */
const ALIASES: Readonly<Record<string, number>> = {
  SIGIOT: SIGNALS.SIGABRT,
  SIGCLD: SIGNALS.SIGCHLD,
  SIGPOLL: SIGNALS.SIGIO,
  SIGUNUSED: SIGNALS.SIGSYS,
};

/** The first real-time signal that C libraries leave to programs (glibc keeps 32 and 33 for its threads). */
export const SIGRTMIN = 34;
export const SIGRTMAX = 64;

/**
 * The number of a signal as people write it: `SIGTERM`, `term`, `15`, `RTMIN+3`, `SIGRTMAX-2`. Undefined where
 * there is no such signal, 0 included.
 */
export function signalNumber(word: string): number | undefined {
  const upper = word.toUpperCase();
  if (/^\d{1,3}$/.test(upper)) return inRange(Number(upper), 1);
  const name = upper.startsWith("SIG") ? upper : `SIG${upper}`;
  const realtime = /^SIGRT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (realtime) return realtimeNumber(realtime[1] === "MIN", realtime[2], Number(realtime[3] ?? 0));
  if (Object.hasOwn(SIGNALS, name)) return SIGNALS[name as SignalName];
  return Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined;
}

/** How people write signal `number`: its name, or the number where it has none. */
export function signalName(number: number): string {
  for (const [name, value] of Object.entries(SIGNALS)) if (value === number) return name;
  if (number === SIGRTMIN) return "SIGRTMIN";
  if (number === SIGRTMAX) return "SIGRTMAX";
  return number > SIGRTMIN && number < SIGRTMAX ? `SIGRTMIN+${number - SIGRTMIN}` : String(number);
}

/** Up from the first or down from the last; the other direction leaves the range. */
function realtimeNumber(fromFirst: boolean, sign: string | undefined, offset: number): number | undefined {
  if (sign !== undefined && (sign === "+") !== fromFirst) return undefined;
  return inRange(fromFirst ? SIGRTMIN + offset : SIGRTMAX - offset, SIGRTMIN);
}

function inRange(number: number, first: number): number | undefined {
  return number >= first && number <= SIGRTMAX ? number : undefined;
}
