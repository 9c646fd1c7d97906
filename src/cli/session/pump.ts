import type { Hijacked } from "../../client/hijack.ts";
import { demultiplex, type Piece, single } from "../../client/stream.ts";
import { pour } from "../output.ts";
import { readInput } from "./input.ts";
import { DEFAULT_KEYS, keyBytes, keyFilter } from "./keys.ts";

export interface PumpOptions {
  /** The container has a terminal: one raw stream, and detach keys mean something. */
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Whose output is wanted. */
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly detachKeys?: string | undefined;
}

/**
 * Connects standard input, output and error with a container until its output ends or the detach keys are
 * typed. The end of our input closes the container's; its output goes on.
 */
export async function pump({ duplex }: Hijacked, it: PumpOptions): Promise<"ended" | "detached"> {
  const output = pourOut(it.tty ? single(duplex.read) : demultiplex(duplex.read), it).then(
    () => "ended" as const,
  );
  if (!it.stdin) return output;
  const detached = new Promise<"detached">((resolve) => {
    void sendInput(duplex, it).then((how) => how === "detached" && resolve(how));
  });
  const how = await Promise.race([output, detached]);
  duplex.close();
  return how;
}

async function sendInput(duplex: Hijacked["duplex"], it: PumpOptions): Promise<"ended" | "detached"> {
  const filter = it.tty ? keyFilter(keyBytes(it.detachKeys ?? DEFAULT_KEYS)) : undefined;
  try {
    for (let typed = await readInput(); typed !== null; typed = await readInput()) {
      const { bytes, detached } = filter?.(typed) ?? { bytes: typed, detached: false };
      if (bytes.length > 0) await duplex.write(bytes);
      if (detached) return "detached";
    }
    duplex.end();
  } catch {
    // The container has stopped listening; its output says the rest.
  }
  return "ended";
}

async function pourOut(pieces: AsyncIterable<Piece>, it: PumpOptions): Promise<void> {
  for await (const { channel, bytes } of pieces) {
    if (channel === 2 ? it.stderr === false : it.stdout === false) continue;
    await pour(channel === 1 ? 1 : 2, bytes);
  }
}
