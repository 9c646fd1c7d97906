import { streamsOf } from "../launch/output.ts";
import { makeScene, type Wanted } from "../launch/scene.ts";

/**
 * An engine that is going to be killed: starts one container in the directories it is given, reads what it is
 * told to, and says on its standard output how far it is.
 */
interface Orders {
  readonly directory: string;
  readonly cgroup: string;
  readonly id: string;
  readonly args: readonly string[];
  readonly wanted: Wanted;
  /** Read output until this was seen; nothing is read without it. */
  readonly until?: string;
}

const orders = JSON.parse(process.argv[2] ?? "") as Orders;
const scene = await makeScene({}, orders);
console.log("launching");
const running = await scene.start(orders.id, orders.args, orders.wanted);
if (orders.until !== undefined) {
  const reader = streamsOf(running).stdout.getReader();
  let seen = "";
  while (!seen.includes(orders.until)) seen += new TextDecoder().decode((await reader.read()).value);
}
console.log(`started ${running.pid} ${running.keeper.pid}`);
await new Promise(() => setInterval(() => undefined, 1 << 30));
