import type { Call } from "../step.ts";
import type { State } from "./state.ts";

/** What each call means to a shell, by its name. */
export type Handlers = Readonly<Record<string, (state: State, call: Call) => void>>;
