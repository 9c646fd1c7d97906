import type { ContainerTop } from "../../wire/lifecycle.ts";
import { columnsOf } from "./form.ts";
import { bootTime, memoryTotal, readProcess } from "./process.ts";

/**
 * The processes in a container in the words of `ps`.
 * @param form arguments of `ps`; empty is `-ef`
 * @returns one sentence, where `ps` would not understand them
 */
export function top(pids: readonly number[], form: string): ContainerTop | string {
  const columns = columnsOf(form.trim() || "-ef");
  if (typeof columns === "string") return columns;
  if (!columns.some(({ title }) => title === "PID")) return "Couldn't find PID field in ps output";
  const boot = bootTime();
  const total = memoryTotal();
  const processes = pids.map((pid) => readProcess(pid, boot)).filter((one) => one !== null);
  return {
    Titles: columns.map(({ title }) => title),
    Processes: processes.map((process) => columns.map(({ value }) => value(process, total))),
  };
}
