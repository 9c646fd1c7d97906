import { CLOSE_RANGE_CLOEXEC, SIG } from "../../kernel/flags.ts";
import type { Process } from "../../oci/runtime/spec.ts";
import { call, from, mem, num, str, struct, u64 } from "../../plan/build.ts";
import { type Step, SYNC } from "../../plan/step.ts";
import { defaultSignals } from "./session.ts";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Where `execvp` would look for the program (exec(3)): with a slash there, else along `PATH`. */
export function candidates(process: Process): readonly string[] {
  const [name = ""] = process.args ?? [];
  if (name.includes("/")) return [name];
  const path = process.env?.find((entry) => entry.startsWith("PATH="))?.slice(5) || DEFAULT_PATH;
  return path.split(":").map((directory) => (directory === "" ? `./${name}` : `${directory}/${name}`));
}

/** Nothing is inherited but 0, 1, 2 and the `preserved` ones after them. */
export function closeOnExec(preserved: number): Step[] {
  const how = num(CLOSE_RANGE_CLOEXEC, "CLOSE_RANGE_CLOEXEC");
  return [call("close_range", [num(3 + preserved), num(0xffffffff), how], "hand no descriptor on")];
}

/** The end of every launch: the program itself. */
export function execute(process: Process): Step[] {
  return [
    defaultSignals(),
    {
      kind: "exec",
      candidates: candidates(process),
      argv: process.args ?? [],
      env: process.env ?? [],
      why: `run ${process.args?.[0] ?? "nothing"}`,
    },
  ];
}

const EVERY_SIGNAL = struct([u64(-1)]);

/** `--init`: this process stays pid 1 and a child of it becomes the workload. */
export function underInit(workload: readonly Step[], privileges: readonly Step[]): Step[] {
  const why = "be the container's init: forward signals, reap orphans";
  return [
    call("rt_sigprocmask", [num(SIG.SETMASK, "SIG_SETMASK"), mem(EVERY_SIGNAL, "all"), num(0), num(8)], why),
    call("signalfd4", [num(-1), mem(EVERY_SIGNAL, "all"), num(8), num(0x80000, "SFD_CLOEXEC")], why, {
      result: "init-signals",
    }),
    {
      kind: "clone",
      flags: 0n,
      flagsText: "0",
      pid: "init-child",
      child: workload,
      why: "run the workload beside init",
    },
    ...privileges,
    // What is still needed goes to the front, so that the rest can be closed without knowing its numbers.
    call("dup3", [from("init-signals"), num(0), num(0)], why, { result: "init-signals" }),
    call("dup3", [from(SYNC), num(1), num(0)], why, { result: SYNC }),
    call("close_range", [num(2), num(0xffffffff), num(0)], "leave the streams to the workload"),
    call("prctl", [num(15, "PR_SET_NAME"), str("cais-init")], why),
    // The last of them: while the socket is open a failure of these steps can be told.
    call("close", [from(SYNC)], "leave reporting to the workload"),
    { kind: "init", child: "init-child", signals: "init-signals", why },
  ];
}
