import { CLONE, PR } from "../../kernel/flags.ts";
import { SIGNALS } from "../../kernel/signals.ts";
import type { Data, UserMap } from "../step.ts";
import { lowerDecimal } from "./decimal.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

const AT_FDCWD = -100;
const O_WRONLY_CLOEXEC = 0x80001;
const O_RDONLY_CLOEXEC = 0x80000;
const STATUS: Data = { kind: "space", size: 8, name: "users-status" };
const PATH: Data & { kind: "space" } = { kind: "space", size: 64, name: "users-path" };

/**
 * A user namespace without anybody in it, for an idmapped mount (mount_setattr(2)): a process that does nothing is
 * made in it, its maps are written, the namespace is opened, and the process ends.
 */
export function lowerUserMap(writer: Writer, step: UserMap, number: number, failed: string): void {
  const parent = writer.fresh("users-parent");
  const wait = writer.fresh("users-wait");
  const over = writer.fresh("users-over");
  const done = writer.fresh("users-done");
  // struct clone_args (linux/sched.h): flags, …, exit_signal.
  const args: Data = { kind: "space", size: 88, name: `users-clone.${number}` };
  writer.store(at(args), 0, 8, imm(CLONE.NEWUSER));
  writer.store(at(args), 32, 8, imm(SIGNALS.SIGCHLD));
  writer.syscall("clone3", at(args), imm(88));
  writer.if("acc", "lt", imm(0), failed);
  writer.if("acc", "ne", imm(0), parent);
  writer.syscall("prctl", imm(PR.SET_PDEATHSIG), imm(SIGNALS.SIGKILL));
  writer.label(wait);
  writer.syscall("ppoll", imm(0), imm(0), imm(0), imm(0), imm(0));
  writer.jump(wait);

  writer.label(parent);
  writer.set("users-process", "acc");
  writer.set("users-error", imm(0));
  const file = (name: string, how: number) => {
    lowerDecimal(writer, {
      kind: "decimal",
      slot: "users-process",
      into: PATH,
      prefix: "/proc/",
      suffix: `/${name}`,
      why: "",
    });
    writer.syscall("openat", imm(AT_FDCWD), at(PATH), imm(how), imm(0));
    writer.set("users-error", "acc");
    writer.if("acc", "lt", imm(0), over);
  };
  const map = (name: string, text: string) => {
    const bytes = new TextEncoder().encode(text);
    file(name, O_WRONLY_CLOEXEC);
    writer.set("users-file", "acc");
    writer.syscall("write", slot("users-file"), at({ kind: "bytes", bytes }), imm(bytes.length));
    writer.set("users-error", "acc");
    writer.syscall("close", slot("users-file"));
    writer.if(slot("users-error"), "lt", imm(0), over);
  };
  map("uid_map", step.uids);
  map("gid_map", step.gids);
  file("ns/user", O_RDONLY_CLOEXEC);
  writer.set(step.into, slot("users-error"));
  writer.label(over);
  writer.syscall("kill", slot("users-process"), imm(SIGNALS.SIGKILL));
  writer.syscall("wait4", slot("users-process"), at(STATUS), imm(0), imm(0));
  writer.if(slot("users-error"), "ge", imm(0), done);
  writer.recall("users-error");
  writer.jump(failed);
  writer.label(done);
}
