/** `struct seccomp_data`, as the kernel gives it to a filter. */
export interface CallData {
  readonly number: number;
  readonly audit: number;
  readonly args: readonly bigint[];
}

/** Runs a classic BPF program as `kernel/seccomp.c` does: only the operations it lets in, jumps checked. */
export function interpret(program: Uint8Array, call: CallData): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.number, true);
  data.setUint32(4, call.audit, true);
  call.args.forEach((arg, index) => {
    data.setBigUint64(16 + index * 8, BigInt.asUintN(64, arg), true);
  });
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const length = program.length / 8;
  let a = 0;
  for (let at = 0; at < length; at++) {
    const code = view.getUint16(at * 8, true);
    const yes = view.getUint8(at * 8 + 2);
    const no = view.getUint8(at * 8 + 3);
    const k = view.getUint32(at * 8 + 4, true);
    if (code === 0x20) a = data.getUint32(k, true);
    else if (code === 0x54) a = (a & k) >>> 0;
    else if (code === 0x05) at += k;
    else if (code === 0x15) at += a === k ? yes : no;
    else if (code === 0x25) at += a > k ? yes : no;
    else if (code === 0x35) at += a >= k ? yes : no;
    else if (code === 0x06) return k;
    else throw new Error(`Instruction ${at} has the code ${code}`);
  }
  throw new Error("The program runs off its end");
}
