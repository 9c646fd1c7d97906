import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { openRelay } from "../../../plan/relay.ts";
import { shortId } from "../../id.ts";
import { attributesOf } from "../details.ts";
import type { Message } from "../message.ts";
import { DEFAULT_TAG, tagOf } from "../subject.ts";
import { wrong } from "../value.ts";
import type { DriverFacts, LogDriver } from "./driver.ts";

/** systemd.journal-fields(7), sd_journal_print(3): PRIORITY as in syslog. */
const INFO = "6";
const ERROR = "3";
/** systemd-journald.socket. */
const SOCKET = "/run/systemd/journal/socket";

/**
 * Sends to the journal in its native protocol with Docker's fields ("Journald logging driver").
 * @throws Refusal where this machine has no journal
 */
export function openJournald({ subject, details, programs }: DriverFacts, socket = SOCKET): LogDriver {
  if (!existsSync(socket)) throw wrong("journald is not enabled on this host");
  const relay = openRelay(socket, programs);
  const tag = tagOf(details.tag ?? DEFAULT_TAG, subject);
  const fixed = {
    CONTAINER_ID: shortId(subject.id),
    CONTAINER_ID_FULL: subject.id,
    CONTAINER_NAME: subject.name,
    CONTAINER_TAG: tag,
    IMAGE_NAME: subject.image,
    SYSLOG_IDENTIFIER: tag,
    CONTAINER_LOG_EPOCH: randomBytes(32).toString("hex"),
    ...attributesOf(details, subject, fieldName),
  };
  let ordinal = 0;
  return {
    send: (message) => relay.send(encode(message, { ...fixed, CONTAINER_LOG_ORDINAL: String(++ordinal) })),
    close: () => relay.close(),
  };
}

function encode({ line, stream, time, part }: Message, fields: Readonly<Record<string, string>>): Buffer {
  const partial = part && {
    CONTAINER_PARTIAL_MESSAGE: "true",
    CONTAINER_PARTIAL_ID: part.id,
    CONTAINER_PARTIAL_ORDINAL: String(part.ordinal),
    CONTAINER_PARTIAL_LAST: String(part.last),
  };
  const priority = stream === "stderr" ? ERROR : INFO;
  const rest = { PRIORITY: priority, SYSLOG_TIMESTAMP: time, ...fields, ...partial };
  return Buffer.concat([
    field("MESSAGE", line),
    ...Object.entries(rest).map(([name, value]) => field(name, Buffer.from(value))),
  ]);
}

/** `NAME=value`, or where the value has a newline: the name, its length in 8 bytes, the value. */
function field(name: string, value: Buffer): Buffer {
  const newline = Buffer.from("\n");
  if (!value.includes(10)) return Buffer.concat([Buffer.from(`${name}=`), value, newline]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, newline]);
}

/** Capitals, digits and underscores; a name must not begin with an underscore: the journal's own do. */
const fieldName = (name: string): string =>
  name
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, "_")
    .replace(/^_+/, "");
