/** `GET /cais/containers/{id}/reach`: who reaches a port of a container, and what decides it. */
export interface Reach {
  readonly container: string;
  /** `80/tcp`. */
  readonly port: string;
  /** What waits there in the container: `0.0.0.0`, `127.0.0.1`; empty where nothing does. */
  readonly listening: readonly string[];
  /** Whether one of those is reached from outside the container. */
  readonly open: boolean;
  readonly ways: readonly ReachWay[];
  /** Sentences about what this host's other rules do to it. */
  readonly obstacles: readonly string[];
}

/** One kind of client and one address that it can try. */
export interface ReachWay {
  /** `itself`, `this host`, `network shop`, `other hosts`. */
  readonly from: string;
  /** `172.18.0.2:80`, `[::]:8080`; empty where there is nothing to try. */
  readonly at: string;
  /** Whether a packet gets to the container there. */
  readonly reached: boolean;
  /** The words for it. */
  readonly why: string;
  /** The comment of the rule that decides, as `nft list ruleset` shows it; empty where none does. */
  readonly rule: string;
  /** Packets that this rule has seen; null where no rule decides or it does not count. */
  readonly packets: number | null;
}
