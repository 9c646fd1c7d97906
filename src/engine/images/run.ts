import { StringDecoder } from "node:string_decoder";
import type { RunResult, RunSpec } from "../../build/build.ts";
import { shortId } from "../../container/id.ts";
import type { Progress } from "../../image/images.ts";
import { Refusal } from "../../oci/error.ts";
import type { HostConfig } from "../../wire/container.ts";
import { create } from "../containers/create.ts";
import { hubOf } from "../containers/follow.ts";
import { killNow } from "../containers/kill.ts";
import { remove } from "../containers/remove.ts";
import { start } from "../containers/start.ts";
import { wait } from "../containers/wait.ts";
import type { Engine } from "../engine.ts";

export interface RunnerOptions {
  readonly progress: Progress;
  /** Limits, network and the like of the containers that commands run in. */
  readonly host: HostConfig;
  /** Remove the container of a command that went well; of one that failed. */
  readonly remove: { readonly after: boolean; readonly failed: boolean };
  /** Whoever asked for the build is gone. */
  readonly cancelled: AbortSignal;
}

/** Runs the commands of a build, each in a container of its own, with the classic builder's messages. */
export function runner(engine: Engine, options: RunnerOptions): (spec: RunSpec) => Promise<RunResult> {
  const { progress, cancelled } = options;
  return async ({ image, command, env }) => {
    const { container } = await create(engine, "", {
      Image: image,
      Cmd: command,
      // The image's own is for those who use the image.
      Entrypoint: [""],
      Env: env,
      Healthcheck: { Test: ["NONE"] },
      HostConfig: { ...options.host, LogConfig: { Type: "none" } },
    });
    const { record } = container;
    const id = shortId(record.id);
    progress({ stream: ` ---> Running in ${id}\n` });
    const says = speaker(progress);
    hubOf(container).add({
      write(stream, chunk) {
        says(stream, chunk);
        return undefined;
      },
      end: () => undefined,
    });
    const kill = (): void => void killNow(engine, container);
    cancelled.addEventListener("abort", kill);
    const ending = wait(container, "next-exit");
    try {
      if (cancelled.aborted) throw new Refusal("failed", "Build cancelled");
      await start(engine, container);
      const exitCode = await ending.done;
      if (cancelled.aborted) throw new Refusal("failed", "Build cancelled");
      return {
        exitCode,
        snapshot: record.id,
        async end() {
          if (!(exitCode === 0 ? options.remove.after : options.remove.failed)) return;
          await remove(engine, container, { volumes: true, force: true });
          progress({ stream: ` ---> Removed intermediate container ${id}\n` });
        },
      };
    } catch (error) {
      ending.cancel();
      await remove(engine, container, { volumes: true, force: true });
      throw error;
    } finally {
      cancelled.removeEventListener("abort", kill);
    }
  };
}

/** Output as messages: characters stay whole, standard error is red, as the classic builder has it. */
function speaker(progress: Progress): (stream: "stdout" | "stderr", chunk: Uint8Array) => void {
  const decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  return (stream, chunk) => {
    const text = decoders[stream].write(Buffer.from(chunk));
    if (text !== "") progress({ stream: stream === "stderr" ? `\u001b[91m${text}\u001b[0m` : text });
  };
}
