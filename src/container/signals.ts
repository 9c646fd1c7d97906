/** Signal numbers of Linux (signal(7)); the same on x86-64 and aarch64. */
const NUMBERS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  IOT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  POLL: 29,
  PWR: 30,
  SYS: 31,
  RTMIN: 34,
  RTMAX: 64,
};

export const SIGKILL = 9;
export const SIGTERM = 15;

/** The number of `9`, `KILL`, `SIGKILL`, `sigkill`, `RTMIN+3`; null when there is no such signal. */
export function signalNumber(text: string): number | null {
  if (/^\d{1,3}$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= 64 ? number : null;
  }
  const match = /^(?:SIG)?([A-Z0-9]+?)(?:([+-])(\d{1,2}))?$/.exec(text.toUpperCase());
  const base = match ? NUMBERS[match[1]!] : undefined;
  if (!match || base === undefined) return null;
  if (!match[2]) return base;
  if (base < 34) return null;
  const number = base + (match[2] === "+" ? 1 : -1) * Number(match[3]);
  return number >= 34 && number <= 64 ? number : null;
}
