/** One kernel call of a start: `GET /cais/containers/{id}/trace` answers a list of them, in order. */
export interface TraceStep {
  readonly index: number;
  readonly side: "keeper" | "container";
  readonly call: string;
  /** The call as people write it. */
  readonly text: string;
  readonly why: string;
  /** The option that caused it, as typed. */
  readonly option?: string;
  readonly microseconds: number;
  /** Name of the error, for calls whose failure is tolerated and for the one that failed. */
  readonly errno?: string;
}
