/** A classic BPF program before it has addresses: what to do, and where to go on. Nodes may be shared. */
export type Node =
  | { readonly kind: "return"; readonly value: number }
  /** Load the 32-bit word at `offset` of `struct seccomp_data`. */
  | { readonly kind: "load"; readonly offset: number; readonly next: Node }
  | { readonly kind: "and"; readonly mask: number; readonly next: Node }
  | {
      readonly kind: "test";
      readonly op: "eq" | "gt" | "ge";
      readonly value: number;
      readonly yes: Node;
      readonly no: Node;
    };

/** Operation codes of `linux/bpf_common.h`. */
const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
const JUMP = 0x05; // BPF_JMP | BPF_JA
const RETURN = 0x06; // BPF_RET | BPF_K
const TEST = { eq: 0x15, gt: 0x25, ge: 0x35 }; // BPF_JMP | BPF_JEQ, BPF_JGT, BPF_JGE | BPF_K

/** `BPF_MAXINSNS`: the kernel refuses longer programs. */
const MOST_INSTRUCTIONS = 4096;
/** A conditional jump has 8 bits for each distance. */
const FARTHEST = 255;

interface Instruction {
  readonly code: number;
  readonly yes: number;
  readonly no: number;
  readonly k: number;
}

/**
 * Lays the nodes out as an array of `struct sock_filter` (8 bytes each, little-endian). BPF only jumps forward, so
 * the program is written from its end: whoever jumps knows how far. What is too far gets a stepping stone.
 */
export function assemble(start: Node): Uint8Array {
  /** The last instruction first. */
  const reversed: Instruction[] = [];
  const placed = new Map<Node | number, number>();
  const emit = (code: number, k: number, yes = 0, no = 0) => reversed.push({ code, yes, no, k }) - 1;
  const distance = (target: number) => reversed.length - target - 1;

  /** A return is as short as a jump to one, so it is written again. */
  const steppingStone = (node: Node, target: number) =>
    node.kind === "return" ? emit(RETURN, node.value) : emit(JUMP, distance(target));

  function place(node: Node): number {
    const key = node.kind === "return" ? node.value : node;
    const known = placed.get(key);
    if (known !== undefined) return known;
    const at = write(node);
    placed.set(key, at);
    return at;
  }

  function write(node: Node): number {
    if (node.kind === "return") return emit(RETURN, node.value);
    if (node.kind === "test") return writeTest(node);
    const next = place(node.next);
    if (distance(next) > 0) steppingStone(node.next, next);
    return node.kind === "load" ? emit(LOAD_WORD, node.offset) : emit(AND, node.mask);
  }

  function writeTest(node: Node & { readonly kind: "test" }): number {
    let no = place(node.no);
    let yes = place(node.yes);
    // A stone for one moves the other a step away, hence the margin of one.
    if (distance(no) >= FARTHEST) no = remember(node.no, steppingStone(node.no, no));
    if (distance(yes) >= FARTHEST) yes = remember(node.yes, steppingStone(node.yes, yes));
    return emit(TEST[node.op], node.value, distance(yes), distance(no));
  }

  /** The nearest copy serves those that come (earlier in the program) next. */
  function remember(node: Node, at: number): number {
    placed.set(node.kind === "return" ? node.value : node, at);
    return at;
  }

  const first = place(start);
  if (distance(first) > 0) steppingStone(start, first);
  if (reversed.length > MOST_INSTRUCTIONS) {
    throw new Error(
      `Cannot compile the seccomp policy: it needs ${reversed.length} instructions, the kernel takes ${MOST_INSTRUCTIONS}`,
    );
  }
  return encode(reversed.reverse());
}

function encode(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  instructions.forEach(({ code, yes, no, k }, index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, yes);
    view.setUint8(index * 8 + 3, no);
    view.setUint32(index * 8 + 4, k, true);
  });
  return bytes;
}
