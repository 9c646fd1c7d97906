import type { DetachKeys } from "../../container/detach.ts";
import type { Running, Stdin } from "../../container/launcher.ts";
import type { Container, StdinSource } from "../container.ts";
import type { Context } from "../context.ts";
import { conflict } from "../refuse.ts";
import { hubOf } from "./follow.ts";
import { tell } from "./tell.ts";

/** Somebody's end of an attached connection. */
export interface Peer {
  /** What is typed; null when it gives no input. Ends when the other side closes its half. */
  readonly input: AsyncIterable<Uint8Array> | null;
  write(stream: "stdout" | "stderr", chunk: Uint8Array): Promise<void> | undefined;
  end(): void;
}

export interface AttachOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Ends the session without ending the container; only with a terminal, as in Docker. */
  readonly detach: DetachKeys | null;
}

/**
 * Attaches to a container, also to one that has yet to start.
 * @returns ends the session
 */
export function attach(
  context: Context,
  container: Container,
  peer: Peer,
  options: AttachOptions,
): () => void {
  const { record } = container;
  const hub = hubOf(container);
  const leave = hub.add({
    write(stream, chunk) {
      return (stream === "stdout" ? options.stdout : options.stderr) ? peer.write(stream, chunk) : undefined;
    },
    end: () => peer.end(),
  });
  const { input } = peer;
  if (input && record.config.OpenStdin) {
    const source: StdinSource = {
      feed(running) {
        if (!running.stdin) return;
        const close = (record.config.StdinOnce ?? false) && !record.config.Tty;
        void feed(input, running, running.stdin, { close, detach: options.detach }).then((end) => {
          if (end === "over" || (end === "closed" && close)) return;
          // Where the process keeps its input, the end of the client's ends the session (as in Docker).
          if (end === "detached") tell(context, record, "detach");
          leave();
          peer.end();
        });
      },
    };
    if (container.running) source.feed(container.running);
    else {
      container.stdin ??= [];
      container.stdin.push(source);
    }
  }
  tell(context, record, "attach");
  return leave;
}

/** Refuses where Docker does. */
export function checkAttach(container: Container, as: string): void {
  const { status } = container.record.state;
  if (status === "paused") {
    throw conflict(`container ${as} is paused, unpause the container before attach`);
  }
  if (status === "restarting") {
    throw conflict(`container ${as} is restarting, wait until the container is running`);
  }
}

/**
 * From a client to a process, at the process's pace.
 * @returns how it ended: the keys were typed, the client closed its half, or the process reads no more
 */
export async function feed(
  input: AsyncIterable<Uint8Array>,
  running: Running,
  stdin: Stdin,
  options: { readonly close: boolean; readonly detach: DetachKeys | null },
): Promise<"detached" | "closed" | "over"> {
  let over = false;
  void running.exited.then(() => {
    over = true;
  });
  try {
    for await (const chunk of input) {
      const { pass, detach } = options.detach?.scan(chunk) ?? { pass: chunk, detach: false };
      if (over) return "over";
      if (pass.length > 0) await stdin.write(pass);
      if (detach) return "detached";
    }
  } catch {
    // Nobody reads any more: the process has closed its end or is gone.
    return "over";
  }
  if (over) return "over";
  if (options.close) stdin.close();
  return "closed";
}
