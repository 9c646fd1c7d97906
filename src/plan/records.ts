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
export const REPORT_KIND = { started: 1, failed: 2, exited: 3, gone: 4, output: 5 } as const;
/** Byte offsets in a report. `sizes` are of stdout's spool and stderr's, `oom` the kernel's text up to a zero. */
export const REPORT = {
  magic: 0,
  kind: 4,
  token: 8,
  first: 24,
  second: 32,
  time: 40,
  keeper: 56,
  sizes: 64,
  oom: 80,
} as const;
export const CONTROL_KIND = {
  resize: 1,
  signal: 2,
  closeStdin: 3,
  release: 4,
  /** The engine has what a stream's spool holds up to an offset. */
  taken: 5,
  /** Another engine has come: say how large the spools are, and hold `alive` open for it. */
  attend: 6,
} as const;

/**
 * What a container's process and who made it say to each other (src/plan/program/sync.ts), and what is told of a step
 * that fails after `start`: 0 for a word or a descriptor and 1 for a failure; the step; the error, negative.
 */
export const MESSAGE = { kind: 0, step: 8, error: 16, size: 24 } as const;

/** A spool: the file to which the keeper moves one stream of output. All offsets are the file's own. */
export const SPOOL = {
  /** Output begins here; what is before is the engine's, see src/container/keeper/spool.ts. */
  start: 4096,
  /** So much that the engine has not taken stops the container's writing. */
  limit: 1 << 20,
  /** So much that the engine has taken is kept: more than the unfinished line that it has in its memory only. */
  kept: 32 << 10,
} as const;

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
    | ({ readonly kind: "exited"; readonly status: number; readonly oom: string } & Written)
    /** There is output that the engine has not been told of, or it asked to be told; `alive` is held open. */
    | ({ readonly kind: "output"; readonly attending: boolean } & Written)
    /** The keeper has undone what it made and is ending. */
    | { readonly kind: "gone" }
  );

/** How far the output is. */
export interface Written {
  /** Where the spools of stdout and stderr end. */
  readonly sizes: readonly [number, number];
  /** Whether somebody can still write. Only means something once the workload has ended. */
  readonly open: boolean;
}

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
  const size = (index: number) => Number(view.getBigInt64(REPORT.sizes + index * 8, true));
  const written = (): Written => ({ sizes: [size(0), size(1)], open: second !== 0 });
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
        ...written(),
        kind: "exited",
        status: first,
        oom: new TextDecoder().decode(end < 0 ? text : text.subarray(0, end)),
      };
    }
    case REPORT_KIND.output:
      return { ...common, ...written(), kind: "output", attending: first >= 0 };
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

/** The control record `taken`: `stream` is 0 for stdout, 1 for stderr. */
export function encodeTaken(stream: number, offset: number): Uint8Array {
  const record = new DataView(new ArrayBuffer(CONTROL_SIZE));
  record.setUint32(0, CONTROL_KIND.taken, true);
  record.setUint32(4, stream, true);
  record.setBigUint64(8, BigInt(offset), true);
  return new Uint8Array(record.buffer);
}
