import type { DeviceRule } from "../oci/runtime/resources.ts";
import { call, from, mem, num, struct, u32 } from "../plan/build.ts";
import type { Slot, Step } from "../plan/step.ts";

/**
 * cgroup v2 has no devices controller: a small eBPF program decides about each open and mknod instead
 * (BPF_PROG_TYPE_CGROUP_DEVICE). Constants and layouts: linux/bpf.h.
 */

const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
const BPF_F_ALLOW_MULTI = 2;

/** `BPF_DEVCG_DEV_*` and `BPF_DEVCG_ACC_*`. */
const TYPES = { b: 1, c: 2 } as const;
const ACCESS = { m: 1, r: 2, w: 4 } as const;
const ALL = 7;

/** Opcodes: class | operation | source. */
const LDX_W = 0x61;
const MOV_K = 0xb7;
const MOV_X = 0xbf;
const AND_K = 0x57;
const RSH_K = 0x77;
const JEQ_K = 0x15;
const JNE_K = 0x55;
const EXIT = 0x95;

/** Registers: the verdict, the context, and what is kept of it. */
const [VERDICT, CONTEXT, TYPE, WANTED, MAJOR, MINOR, COPY] = [0, 1, 2, 3, 4, 5, 6];

type Instruction = readonly [op: number, dst: number, src: number, offset: number, imm: number];

const leave = (verdict: 0 | 1): Instruction[] => [
  [MOV_K, VERDICT, 0, 0, verdict],
  [EXIT, 0, 0, 0, 0],
];

/**
 * `rules` as a program. As in v1 a later rule wins over an earlier one, for each kind of access by itself, and
 * what no rule names is denied. So the rules are tried from the last to the first: a denial that meets
 * any wanted access ends it, a permission takes its part off the wanted ones until none is left.
 */
export function deviceProgram(rules: readonly DeviceRule[]): Uint8Array {
  const program: Instruction[] = [
    [LDX_W, TYPE, CONTEXT, 0, 0],
    [MOV_X, WANTED, TYPE, 0, 0],
    [AND_K, TYPE, 0, 0, 0xffff],
    [RSH_K, WANTED, 0, 0, 16],
    [LDX_W, MAJOR, CONTEXT, 4, 0],
    [LDX_W, MINOR, CONTEXT, 8, 0],
  ];
  for (const rule of rules.toReversed()) {
    // The verifier refuses instructions that cannot be reached: nothing follows a rule for everything.
    if (matchesAll(rule)) return encode([...program, ...leave(rule.allow ? 1 : 0)]);
    program.push(...block(rule));
  }
  return encode([...program, ...leave(0)]);
}

const accessBits = (rule: DeviceRule): number =>
  rule.access
    ? [...rule.access].reduce((bits, letter) => bits | (ACCESS[letter as keyof typeof ACCESS] ?? 0), 0)
    : ALL;

const wild = (value: number | undefined): boolean => value === undefined || value < 0;

const matchesAll = (rule: DeviceRule): boolean =>
  (rule.type ?? "a") === "a" && accessBits(rule) === ALL && wild(rule.major) && wild(rule.minor);

function block(rule: DeviceRule): Instruction[] {
  const bits = accessBits(rule);
  const tests: (readonly [register: number, value: number])[] = [];
  const type = rule.type ?? "a";
  if (type !== "a") tests.push([TYPE, TYPES[type]]);
  if (!wild(rule.major)) tests.push([MAJOR, rule.major ?? 0]);
  if (!wild(rule.minor)) tests.push([MINOR, rule.minor ?? 0]);
  const body: Instruction[] = rule.allow
    ? [[AND_K, WANTED, 0, 0, ~bits & ALL], [JNE_K, WANTED, 0, 2, 0], ...leave(1)]
    : [[MOV_X, COPY, WANTED, 0, 0], [AND_K, COPY, 0, 0, bits], [JEQ_K, COPY, 0, 2, 0], ...leave(0)];
  // Each test that fails jumps behind the body: over the tests left and the body.
  return [
    ...tests.map(([register, value], index): Instruction => {
      const over = tests.length - 1 - index + body.length;
      return [JNE_K, register, 0, over, value];
    }),
    ...body,
  ];
}

/** `struct bpf_insn`: code, registers (source in the high half), offset, immediate; little-endian. */
function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, [op, dst, src, offset, imm]] of program.entries()) {
    view.setUint8(index * 8, op);
    view.setUint8(index * 8 + 1, (src << 4) | dst);
    view.setInt16(index * 8 + 2, offset, true);
    view.setInt32(index * 8 + 4, imm | 0, true);
  }
  return bytes;
}

/**
 * Steps that load the program of `rules` and attach it to the cgroup v2 directory open in `cgroup`. The program
 * lives as long as the cgroup does, so nothing has to be undone beyond the directory.
 */
export function deviceProgramSteps(rules: readonly DeviceRule[], cgroup: Slot): Step[] {
  const program = deviceProgram(rules);
  const load = struct([
    u32(BPF_PROG_TYPE_CGROUP_DEVICE, program.length / 8),
    { pointer: { kind: "bytes", bytes: program } },
    { pointer: { kind: "text", text: "Apache-2.0" } },
    // log_level, log_size, log_buf, kern_version, prog_flags, prog_name
    u32(0, 0, 0, 0, 0, 0),
    new TextEncoder().encode("cais_devices\0\0\0\0"),
  ]);
  // target_fd, attach_bpf_fd, attach_type, attach_flags
  const attach = struct([u32(0, 0, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI)], "device-program-attach");
  const slot = "device-program";
  const option = "linux.resources.devices";
  const hint = "the kernel needs CONFIG_CGROUP_BPF and CAP_BPF, or CAP_SYS_ADMIN before Linux 5.8";
  const into = (offset: number, value: Slot): Step => ({
    kind: "store",
    slot: value,
    to: attach,
    offset,
    size: 4,
    why: "say which program goes where",
    option,
  });
  return [
    call(
      "bpf",
      [num(BPF_PROG_LOAD, "BPF_PROG_LOAD"), mem(load, `device rules (${rules.length})`), num(64)],
      { why: "load the program that decides which devices may be used", option, hint },
      { result: slot },
    ),
    into(0, cgroup),
    into(4, slot),
    call("bpf", [num(BPF_PROG_ATTACH, "BPF_PROG_ATTACH"), mem(attach, "BPF_CGROUP_DEVICE"), num(16)], {
      why: "attach it to the container's cgroup",
      option,
      hint,
    }),
    call("close", [from(slot)], { why: "the cgroup holds the program now", option }),
  ];
}
