import type { Hub } from "../../container/hub.ts";
import type { ExecId } from "../../container/id.ts";
import type { Running } from "../../container/launcher.ts";
import type { ExecConfig } from "../../wire/container.ts";
import type { Container } from "../container.ts";

/** A further process in a running container. */
export interface Exec {
  readonly id: ExecId;
  readonly container: Container;
  readonly config: ExecConfig;
  /** Null before its start, and after its end. */
  running: Running | null;
  started: boolean;
  /** While it is being started; who waits for it as well finds it in `running`. */
  starting: Promise<Running> | null;
  pid: number;
  /** Null until it has ended. */
  exitCode: number | null;
  hub: Hub | null;
  /** A health check. */
  readonly probe: boolean;
}
