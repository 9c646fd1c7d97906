/**
 * What keepers and the engine say to each other. Little-endian; the assembler side of these layouts is
 * src/plan/program/keeper.ts.
 */

/** Bytes of a report (keeper → engine), of the exit file, and of what a child tells its keeper. */
export const REPORT_SIZE = 512;
/** Bytes of a control record (engine → keeper). Both sizes are below PIPE_BUF, so writes are atomic. */
export const CONTROL_SIZE = 16;
/** Bytes of the token that names a start. */
export const TOKEN_SIZE = 16;

export const REPORT_MAGIC = 0x53494143;
export const REPORT_KIND = { started: 1, failed: 2, exited: 3, gone: 4 } as const;
/** Byte offsets in a report. `oom` is the kernel's text, zero-padded to the end. */
export const REPORT = {
  magic: 0,
  kind: 4,
  token: 8,
  first: 24,
  second: 32,
  time: 40,
  keeper: 56,
  oom: 64,
} as const;
export const CONTROL_KIND = { resize: 1, signal: 2, closeStdin: 3, release: 4, save: 5 } as const;

/** Errors of the kernel are below; from here on it is what wait(2) says of a hook that did not end well. */
export const HOOK_STATUS = 4096;

interface Common {
  /** Hexadecimal. */
  readonly token: string;
  /** Pid of the keeper. */
  readonly keeper: number;
  /** Nanoseconds since the epoch. */
  readonly time: bigint;
}

/** A decoded report. */
export type Report = Common &
  (
    | { readonly kind: "started"; readonly pid: number }
    | { readonly kind: "failed"; readonly step: number; readonly errno: number }
    /** `status` is wait(2)'s; `oom` the text of `memory.events` or `memory.oom_control`. */
    | { readonly kind: "exited"; readonly status: number; readonly oom: string }
    /** The keeper saved what was left and is ending. */
    | { readonly kind: "gone" }
  );

/** Decode one report; null for bytes that are none. */
export function decodeReport(bytes: Uint8Array): Report | null {
  if (bytes.length < REPORT_SIZE) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, REPORT_SIZE);
  if (view.getUint32(REPORT.magic, true) !== REPORT_MAGIC) return null;
  const common: Common = {
    token: Buffer.from(bytes.subarray(REPORT.token, REPORT.token + TOKEN_SIZE)).toString("hex"),
    keeper: view.getInt32(REPORT.keeper, true),
    time: view.getBigInt64(REPORT.time, true) * 1_000_000_000n + view.getBigInt64(REPORT.time + 8, true),
  };
  const first = Number(view.getBigInt64(REPORT.first, true));
  const second = Number(view.getBigInt64(REPORT.second, true));
  switch (view.getUint32(REPORT.kind, true)) {
    case REPORT_KIND.started:
      return { ...common, kind: "started", pid: first };
    case REPORT_KIND.failed:
      return { ...common, kind: "failed", step: first, errno: -second };
    case REPORT_KIND.exited: {
      const text = bytes.subarray(REPORT.oom, REPORT_SIZE);
      const end = text.indexOf(0);
      return {
        ...common,
        kind: "exited",
        status: first,
        oom: new TextDecoder().decode(end < 0 ? text : text.subarray(0, end)),
      };
    }
    case REPORT_KIND.gone:
      return { ...common, kind: "gone" };
    default:
      return null;
  }
}

/** Encode a control record; `first` and `second` are rows and columns, or a signal number. */
export function encodeControl(kind: keyof typeof CONTROL_KIND, first = 0, second = 0): Uint8Array {
  return new Uint8Array(Uint32Array.of(CONTROL_KIND[kind], first, second, 0).buffer);
}
