import { processes } from "../../cgroup/processes.ts";
import { isUp } from "../../container/lifecycle.ts";
import { top as topOf } from "../../container/top/top.ts";
import { labelsMatch } from "../../image/list.ts";
import { Refusal } from "../../oci/error.ts";
import type { ContainersPruned, ContainerTop } from "../../wire/lifecycle.ts";
import { type Container, serially } from "../container.ts";
import type { Context } from "../context.ts";
import { renameLinks } from "../networks/linkpath.ts";
import { placesOf } from "../networks/wires.ts";
import { conflict, invalid } from "../refuse.ts";
import { checkName } from "./create.ts";
import { allowed } from "./find.ts";
import { cgroupOf } from "./freeze.ts";
import { type Filters, list } from "./list.ts";
import { remove } from "./remove.ts";
import { tell } from "./tell.ts";

/** Gives it another name. @throws Refusal as `checkName` */
export const rename = (context: Context, container: Container, name: string): Promise<void> =>
  serially(container, async () => {
    const { record } = container;
    const wanted = name.startsWith("/") ? name.slice(1) : name;
    if (wanted === "") throw invalid("Neither old nor new names may be empty");
    if (wanted === record.name) throw invalid("Renaming a container with the same name as its current name");
    try {
      checkName(context, wanted);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const why = error.message.replace(`(${wanted})`, `(/${wanted})`);
      throw new Refusal(error.kind, `Error when allocating new name: ${why}`);
    }
    const before = record.name;
    context.names.remove(record.id, before);
    context.names.add(record.id, wanted);
    record.name = wanted;
    renameLinks(context, before, wanted);
    if (isUp(record.state.status)) await context.naming.join(record, placesOf(context, record));
    context.store.save(record);
    tell(context, record, "rename", { oldName: `/${before}` });
  });

/** Tells the terminal its size. */
export function resize(context: Context, container: Container, rows: number, columns: number): void {
  if (!container.running) throw conflict(`container ${container.record.id} is not running`);
  container.running.resize(rows, columns);
  tell(context, container.record, "resize", { height: String(rows), width: String(columns) });
}

/** Its processes as `ps` would list them. */
export function top(context: Context, container: Container, form: string): ContainerTop {
  if (!container.running) allowed(container, "exec");
  const result = topOf(processes(context.cgroups.layout, cgroupOf(context, container)), form);
  if (typeof result === "string") throw new Refusal("failed", result);
  tell(context, container.record, "top");
  return result;
}

/** Removes what is down: all of it, or what `filters` (`label`, `label!`, `until`) lets through. */
export async function prune(
  context: Context,
  filters: Filters,
  before: number | null,
): Promise<ContainersPruned> {
  const { "label!": without = [], label = [] } = filters;
  const down = await list(context, {
    all: true,
    filters: { status: ["created", "exited", "dead"], label },
  });
  const deleted: string[] = [];
  let bytes = 0;
  for (const { Id, Created, Labels } of down) {
    const spared = !labelsMatch(Labels ?? {}, { "label!": without });
    const container = context.containers.get(Id as never);
    if (spared || !container || (before !== null && Created * 1000 > before)) continue;
    const size = await context.images.driver.usage(Id).catch(() => 0);
    try {
      await remove(context, container, {});
      deleted.push(Id);
      bytes += size;
    } catch (error) {
      context.report(`Cannot prune ${container.record.name}: ${String(error)}`);
    }
  }
  context.events.emit("container", "prune", "", { reclaimed: String(bytes) });
  return { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: bytes };
}
