import type { ContainerCreateRequest } from "../../wire/container.ts";
import { Failure } from "../failure.ts";
import { parseFlags, UsageError } from "../flags/parse.ts";
import { createRequest } from "./config.ts";
import { runFlags } from "./flags.ts";

/** What `cais run …` would ask the engine for, from the words after `explain` or `script`. */
export function planRequest(name: string, words: readonly string[]): ContainerCreateRequest {
  const [verb, ...argv] = words;
  if (verb !== "run" && verb !== "create")
    throw new Failure(
      `Cannot ${name} "${verb}": write cais ${name} run [OPTIONS] IMAGE [COMMAND] [ARG...]`,
      125,
    );
  try {
    const { values, args } = parseFlags(runFlags, argv, true);
    const [image, ...command] = args;
    if (image === undefined)
      throw new Failure(`'cais ${name} run' requires at least 1 argument: an image`, 125);
    return createRequest(values, { image, command, detach: values.detach });
  } catch (error) {
    if (error instanceof UsageError) throw new Failure(error.message, 125);
    throw error;
  }
}
