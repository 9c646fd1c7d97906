import type { LogDetails } from "../details.ts";
import type { Message } from "../message.ts";
import type { LogSubject } from "../subject.ts";

/** Where a container's messages go besides the file that `logs` reads. */
export interface LogDriver {
  /**
   * Takes one complete message, in order. A promise when the receiver has yet to take it: the container's output
   * waits for it. Rejects when it could not be delivered; it is lost then.
   */
  send(message: Message): Promise<void> | undefined;
  /** What was taken is still delivered. */
  close(): void;
}

/** What a driver is opened with. */
export interface DriverFacts {
  readonly subject: LogSubject;
  readonly details: LogDetails;
  /** Where a program may be written for a moment. */
  readonly programs: string;
}
