import type { ContainerTop } from "../../wire/lifecycle.ts";
import type { Column } from "./columns.ts";
import { type Form, formOf, NO_PID } from "./form.ts";
import { bootTime, memoryTotal, type Process, readProcess } from "./process.ts";

/**
 * The processes in a container in the words of `ps`.
 * @param form arguments of `ps`; empty is `-ef`
 * @returns one sentence, where `ps` would not understand them
 */
export function top(pids: readonly number[], form: string): ContainerTop | string {
  const asked = formOf(form.trim() || "-ef");
  if (typeof asked === "string") return asked;
  const { columns, order } = asked;
  if (!columns.some(({ title }) => title === "PID")) return NO_PID;
  const boot = bootTime();
  const total = memoryTotal();
  const processes = pids.map((pid) => readProcess(pid, boot)).filter((one) => one !== null);
  const chosen = processes.filter((process) => isAsked(process, asked));
  // What `ps` says of it is nothing but its exit status.
  if (chosen.length === 0 && asked.programs.length > 0) return "ps: exit status 1";
  const compare = (a: Process, b: Process) => {
    for (const { column, descending } of order) {
      const difference = compared(column, a, b, total);
      if (difference !== 0) return descending ? -difference : difference;
    }
    return 0;
  };
  return {
    Titles: columns.map(({ title }) => title),
    Processes: chosen.toSorted(compare).map((process) => columns.map(({ value }) => value(process, total))),
  };
}

const isAsked = ({ name }: Process, { programs }: Form): boolean =>
  programs.length === 0 || programs.some((program) => program.slice(0, LONGEST_NAME) === name);

/** The kernel keeps no more of a program's name (TASK_COMM_LEN, with its NUL). */
const LONGEST_NAME = 15;

function compared({ value }: Column, a: Process, b: Process, memory: number): number {
  const [one, other] = [value(a, memory), value(b, memory)];
  const difference = Number(one) - Number(other);
  if (!Number.isNaN(difference)) return difference;
  return one < other ? -1 : one > other ? 1 : 0;
}
