import { flags, SOCKET, TTY } from "../../kernel/flags.ts";
import { call, close, from, mem, num, space, struct, u32 } from "../../plan/build.ts";
import { sendDescriptor } from "../../plan/descriptor.ts";
import { type Arg, type Call, type Data, type Slot, type Step, SYNC } from "../../plan/step.ts";
import { openFlags } from "./files.ts";
import { openInside } from "./place.ts";

/** The workload's descriptors 0, 1 and 2. */

function onto(slot: Slot, descriptor: number, why: string): Step {
  return call("dup3", [from(slot), num(descriptor), num(0)], why);
}

/** Pipes to the keeper; without input the container's own `/dev/null`. */
export function pipeStreams(stdin: boolean, owner: number): Step[] {
  const input: Step[] = stdin
    ? [onto("stdin-reader", 0, "read input from the engine")]
    : [
        {
          kind: "attempt",
          tolerate: ["ENOENT", "EACCES", "ENXIO", "ELOOP"],
          why: "read no input",
          otherwise: [call("close", [num(0)], "have none of the engine's either")],
          steps: [
            // Somebody may have made a link of it, to a file of the host for one.
            openInside("/dev/null", "null", { why: "read no input" }, ["RDONLY", "NONBLOCK"]),
            onto("null", 0, "read no input"),
            close("null", "close it"),
          ],
        },
      ];
  return [
    ...input,
    onto("stdout-writer", 1, "write output to the engine"),
    onto("stderr-writer", 2, "write errors to the engine"),
    // Without input, 0 is a device that others use as well.
    ...(owner === 0 ? [] : (stdin ? [0, 1, 2] : [1, 2]).map((descriptor) => ownerOf(num(descriptor), owner))),
  ];
}

/** So that `/dev/stdout` can be opened again by the user that the workload runs as. */
export function ownerOf(descriptor: ReturnType<typeof num>, owner: number): Step {
  return call(
    "fchown",
    [descriptor, num(owner), num(-1)],
    "let the container's user open its streams again",
    {
      tolerate: ["EINVAL", "EPERM", "EROFS"],
    },
  );
}

export interface ConsoleSize {
  readonly height: number;
  readonly width: number;
}

/**
 * Open a pseudoterminal of the container's own devpts, hand its master to the keeper, or over `socket` to the
 * caller, which waits for what it reads.
 */
export function openTerminal(size: ConsoleSize | undefined, socket: Slot = SYNC): Step[] {
  const why = "give the container a terminal of its own";
  const peer = openFlags("RDWR", "NOCTTY", "CLOEXEC");
  const waiting = socket === SYNC ? (["NONBLOCK"] as const) : [];
  return [
    openInside("/dev/pts/ptmx", "master", { why }, ["RDWR", "NOCTTY", ...waiting]),
    call("ioctl", [from("master"), num(TTY.TIOCSPTLCK, "TIOCSPTLCK"), mem(struct([u32(0, 0)]), "0")], why),
    call("ioctl", [from("master"), num(TTY.TIOCGPTPEER, "TIOCGPTPEER"), peer], why, { result: "terminal" }),
    ...(size === undefined
      ? []
      : [
          call(
            "ioctl",
            [
              from("master"),
              num(TTY.TIOCSWINSZ, "TIOCSWINSZ"),
              mem(
                struct([u32(size.height | (size.width << 16), 0)]),
                `${size.height} rows, ${size.width} columns`,
              ),
            ],
            why,
          ),
        ]),
    ...sendDescriptor("master", socket, {
      why: socket === SYNC ? "hand its other side to who stays with it" : "hand its other side to the caller",
    }),
    close("master", "close it"),
  ];
}

/** The terminal as standard streams and as controlling terminal of a new session. */
export function terminalStreams(owner: number): Step[] {
  const why = "make the terminal the workload's";
  return [
    ...(owner === 0 ? [] : [ownerOf(from("terminal") as ReturnType<typeof num>, owner)]),
    ...[0, 1, 2].map((descriptor) => onto("terminal", descriptor, why)),
    close("terminal", "close it"),
  ];
}

/** A session of the workload's own; with a terminal, that one controls it (ioctl_tty(2)). */
export function ownSession(terminal: boolean): Step[] {
  return [
    call("setsid", [], "give the workload a session of its own"),
    ...(terminal
      ? [call("ioctl", [num(0), num(TTY.TIOCSCTTY, "TIOCSCTTY"), num(0)], "let Ctrl-C reach the workload")]
      : []),
  ];
}

/** In the keeper: the pty's master, and a slave of our own so that the master never hangs up. */
export function takeTerminal(): Step[] {
  return [
    { kind: "receive", into: "master", why: "take the terminal's other side" },
    call(
      "ioctl",
      [from("master"), num(TTY.TIOCGPTPEER, "TIOCGPTPEER"), openFlags("RDWR", "NOCTTY", "CLOEXEC")],
      "keep the terminal from hanging up before all output is read",
      { result: "terminal" },
    ),
  ];
}

/** `struct termios` of the kernel (asm-generic/termbits.h): four words of flags, the line, 19 characters. */
export const TERMIOS = space(36, "termios-before");
const CHARACTERS = [16, 20, 24, 28, 32] as const;
const FLAGS = { input: 0, output: 4, control: 8, local: 12 } as const;

/**
 * Have every byte that is typed at the caller's terminal (termios(3), "Raw mode"); its speed and its characters stay.
 * It makes new lines itself, since the workload's does not (`plainLines`). A failure takes it back.
 */
export function makeRaw(descriptor: number): Step[] {
  const why = "have what is typed at the caller's terminal as it is";
  const undo = [setTerminal(num(descriptor), TERMIOS, why)];
  return settings(num(descriptor), TERMIOS, [FLAGS.control], TTY.OPOST | TTY.ONLCR, { why, undo });
}

/** In the child: lines end as they are written, so that output which no terminal shows is as without one. */
export function plainLines(): Step[] {
  const kept = [FLAGS.input, FLAGS.control, FLAGS.local];
  const why = "leave the ends of lines to the caller's terminal";
  return settings(from("terminal"), space(36, "termios-own"), kept, TTY.OPOST, { why });
}

/** Set a terminal's flags of output; of its other flags those at `kept` stay, and the rest is off. */
function settings(
  terminal: Arg,
  before: Data,
  kept: readonly number[],
  output: number,
  { why, undo }: Pick<Call, "why" | "undo">,
): Step[] {
  const wanted = struct([u32(0, output), new Uint8Array(28)]);
  const into: Slot = "termios-word";
  const set = setTerminal(terminal, wanted, why);
  return [
    call("ioctl", [terminal, num(TTY.TCGETS, "TCGETS"), mem(before)], why),
    ...[...kept, ...CHARACTERS].flatMap((offset): Step[] => [
      { kind: "load", from: before, offset, size: 4, into, why },
      { kind: "store", slot: into, to: wanted, offset, size: 4, why },
    ]),
    undo === undefined ? set : { ...set, undo },
  ];
}

function setTerminal(terminal: Arg, termios: Data, why: string): Call {
  return call("ioctl", [terminal, num(TTY.TCSETSW, "TCSETSW"), mem(termios)], why);
}

/** Bring the loopback interface up: `struct ifreq`, 16 bytes of name, 16-bit flags (netdevice(7)). */
export function loopbackUp(): Step[] {
  const why = "bring the loopback interface up";
  const name = new Uint8Array(16);
  name.set(new TextEncoder().encode("lo"));
  const request = struct([name, u32(SOCKET.IFF_UP), u32(0, 0, 0, 0, 0)]);
  const type = flags("SOCK", { DGRAM: SOCKET.DGRAM, CLOEXEC: SOCKET.CLOEXEC }, "DGRAM", "CLOEXEC");
  return [
    call("socket", [num(SOCKET.AF_INET, "AF_INET"), num(type.value, type.text), num(0)], why, {
      result: "socket",
    }),
    call(
      "ioctl",
      [from("socket"), num(SOCKET.SIOCSIFFLAGS, "SIOCSIFFLAGS"), mem(request, "lo: IFF_UP")],
      why,
    ),
    close("socket", "close it"),
  ];
}
