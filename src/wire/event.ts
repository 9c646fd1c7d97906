/** One line of `GET /events`. */
export interface Event {
  readonly Type: "container" | "image" | "volume" | "network" | "daemon" | "builder" | "plugin";
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: "local" | "swarm";
  /** Seconds since 1970. */
  readonly time: number;
  /** Nanoseconds since 1970: more than a double holds exactly. */
  readonly timeNano: number;
  /** Only containers and images, for old clients. */
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
}
