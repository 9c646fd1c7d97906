import type { Exec } from "../step.ts";
import { quote } from "./shell.ts";
import { type Last, note, type State, say } from "./state.ts";

/** The end of the container's script: the pivot, and the program behind the tools that take its privileges. */

/** Commands before the workload's, each with its options. */
function chain(last: Last): readonly (readonly string[])[] {
  const dropped =
    last.dropped.length === 0 ? [] : [`--bounding-set=${last.dropped.map((name) => `-${name}`).join(",")}`];
  const ambient =
    last.ambient.length === 0 ? [] : [`--ambient-caps=${last.ambient.map((name) => `+${name}`).join(",")}`];
  const privileges = [...dropped, ...last.privileges, ...ambient];
  return [
    ...(last.limits.length === 0 ? [] : [["prlimit", ...last.limits]]),
    ...(last.session ? [["setsid"]] : []),
    ...(privileges.length === 0 ? [] : [["setpriv", ...privileges]]),
  ];
}

/** The last lines of the script; the host's tools are found from inside its tree once it has no path any more. */
export function execute(state: State, step: Exec): void {
  const commands = chain(state.last);
  const { cwd } = state;
  const directory = cwd.place.on === "shell" ? [] : [`--chdir=${quote(cwd.place.path)}`];
  const env = step.env.filter((entry) => /^[^=]+=/.test(entry)).map(quote);
  if (env.length < step.env.length) note(state, "words of the environment without a name are left out");
  const signals = state.last.background ? ["--default-signal=INT,QUIT"] : [];
  const workload = ["env", "-i", ...signals, ...directory, ...env, ...step.argv.map(quote)];
  const all = [...commands, workload];
  if (state.last.background) say(state, "exec 4<&-");
  if (!state.pivoted) {
    say(state, `exec ${all.flat().join(" ")}`);
    return;
  }
  const tools = new Set([
    ...state.afterPivot.flatMap(({ words }) => words.slice(0, 1)),
    ...all.map(([tool = ""]) => tool),
  ]);
  state.reason = { why: "keep the host's tools at hand when their paths are gone" };
  say(state, `host_tools ${[...tools].join(" ")}`);
  const host = ([tool = "", ...rest]: readonly string[]) => [`$host "$${tool}"`, ...rest].join(" ");
  for (const { reason, words } of state.afterPivot) {
    state.reason = reason;
    say(state, words.length === 0 ? 'pivot_root "$root" "$root"' : host(words));
  }
  state.reason = step;
  say(state, `exec ${all.map(host).join(" \\\n    ")}`);
}
