import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { DEFAULT_TAG, tagOf } from "../subject.ts";
import { type Options, truth, wrong } from "../value.ts";
import type { DriverFacts, LogDriver } from "./driver.ts";
import { openTransport, type SyslogAddress, type SyslogTls } from "./syslog-transport.ts";

export interface SyslogOptions {
  readonly address: SyslogAddress;
  /** RFC 5424, 6.2.1. */
  readonly facility: number;
  readonly format: "unix" | "rfc3164" | "rfc5424" | "rfc5424micro";
  readonly tls: SyslogTls;
}

export const SYSLOG_OPTIONS = [
  "syslog-address",
  "syslog-facility",
  "syslog-format",
  "syslog-tls-ca-cert",
  "syslog-tls-cert",
  "syslog-tls-key",
  "syslog-tls-skip-verify",
] as const;

const FACILITIES = [
  ...["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"],
  ...["", "", "", "", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
];
const FORMATS = { "": "unix", rfc3164: "rfc3164", rfc5424: "rfc5424", rfc5424micro: "rfc5424micro" } as const;
/** RFC 5424, 6.2.1. */
const INFORMATIONAL = 6;
const ERROR = 3;

/** @throws Refusal with Docker's sentence */
export function syslogOptions(options: Options): SyslogOptions {
  const facility = options["syslog-facility"] ?? "daemon";
  const number = /^\d+$/.test(facility) ? Number(facility) : facility ? FACILITIES.indexOf(facility) : 3;
  if (number < 0 || number > 23) throw wrong("invalid syslog facility");
  const format = FORMATS[(options["syslog-format"] ?? "") as ""];
  if (format === undefined) throw wrong("Invalid syslog format");
  const skip = options["syslog-tls-skip-verify"];
  return {
    address: addressOf(options["syslog-address"] ?? ""),
    facility: number,
    format,
    tls: {
      ca: options["syslog-tls-ca-cert"],
      cert: options["syslog-tls-cert"],
      key: options["syslog-tls-key"],
      // Docker: whatever it says, being there is enough.
      verify: skip === undefined || truth(skip) === false,
    },
  };
}

function addressOf(text: string): SyslogAddress {
  if (text === "") return { kind: "local" };
  const match = /^(\w[\w+]*):\/\/(.*)$/.exec(text);
  const [, scheme = text, rest = ""] = match ?? [];
  switch (scheme) {
    case "unix":
    case "unixgram":
      if (!existsSync(rest)) throw wrong(`stat ${rest}: no such file or directory`);
      return { kind: scheme, path: rest };
    case "udp":
    case "tcp":
    case "tcp+tls": {
      const [, host = "", port = ""] = /^(\[[^\]]+\]|[^:/]*)(?::(\d+))?\/?$/.exec(rest) ?? [];
      if (host === "" || Number(port || 514) > 65535)
        throw wrong(`invalid syslog-address '${text}': write ${scheme}://host:port`);
      return { kind: scheme, host: host.replace(/^\[|\]$/g, ""), port: Number(port || 514) };
    }
    default:
      throw wrong(`unsupported scheme: '${scheme}'`);
  }
}

/**
 * Sends each line as one message of RFC 3164 or RFC 5424, as Docker writes them.
 * @throws when nobody answers at the address
 */
export async function openSyslog(options: SyslogOptions, facts: DriverFacts): Promise<LogDriver> {
  const counted = options.address.kind === "tcp+tls" && options.format.startsWith("rfc5424");
  const transport = await openTransport(options.address, options.tls, facts.programs, counted);
  const tag = tagOf(facts.details.tag ?? DEFAULT_TAG, facts.subject);
  const head = (severity: number, now: Date): string => {
    const priority = options.facility * 8 + severity;
    const sender = `${tag}[${process.pid}]`;
    switch (options.format) {
      case "unix":
        return `<${priority}>${stamp(now)} ${sender}: `;
      case "rfc3164":
        return `<${priority}>${stamp(now)} ${hostname()} ${sender}: `;
      default: {
        const time = options.format === "rfc5424" ? rfc3339(now) : micro(now);
        return `<${priority}>1 ${time} ${hostname()} ${tag} ${process.pid} ${tag} - `;
      }
    }
  };
  return {
    send({ stream, line }) {
      // As in Docker, an empty line is no message.
      if (line.length === 0) return undefined;
      const text = head(stream === "stderr" ? ERROR : INFORMATIONAL, new Date());
      return transport.send(Buffer.concat([Buffer.from(text), line, Buffer.from("\n")]));
    },
    close: () => transport.close(),
  };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number): string => String(value).padStart(2, "0");
const clock = (at: Date): string => [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");

/** RFC 3164, 4.1.2: local time, the day padded with a space. */
const stamp = (at: Date): string =>
  `${MONTHS[at.getMonth()]} ${String(at.getDate()).padStart(2)} ${clock(at)}`;

const rfc3339 = (at: Date, fraction = ""): string =>
  `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${clock(at)}${fraction}${zone(at)}`;

/** The clock of the runtime has milliseconds. */
const micro = (at: Date): string => rfc3339(at, `.${String(at.getMilliseconds()).padStart(3, "0")}000`);

function zone(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  if (minutes === 0) return "Z";
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
