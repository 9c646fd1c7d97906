import { randomBytes } from "node:crypto";

/** 64 hexadecimal digits. */
export type ContainerId = string & { readonly __containerId: never };
/** 64 hexadecimal digits. */
export type ExecId = string & { readonly __execId: never };

const FULL = /^[0-9a-f]{64}$/;

/** Whether it has the form of an id. */
export const isContainerId = (text: string): text is ContainerId => FULL.test(text);

function random(): string {
  for (;;) {
    const id = randomBytes(32).toString("hex");
    // As in Docker: the short form must not be a number, since it serves as a host name.
    if (/[a-f]/.test(id.slice(0, 12))) return id;
  }
}

/** An id that nobody has. */
export const newContainerId = (): ContainerId => random() as ContainerId;
/** An id that nobody has. */
export const newExecId = (): ExecId => random() as ExecId;

/** The twelve digits that people see. */
export const shortId = (id: string): string => id.slice(0, 12);
