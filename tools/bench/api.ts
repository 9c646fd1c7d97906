import { type Answer, exchange } from "../../src/client/http.ts";

/** The part of the Docker Engine API that the measurements use, on one kept connection. */
export interface Docker {
  /** Creates a container, without network unless `host` (its `HostConfig`) says otherwise; returns its id. */
  create(image: string, command: readonly string[], host?: object): Promise<string>;
  start(id: string): Promise<void>;
  /** Resolves to the exit code when it has ended. */
  wait(id: string): Promise<number>;
  /** `force` kills it first. */
  remove(id: string, force?: boolean): Promise<void>;
  /** Asks for everything about it. */
  inspect(id: string): Promise<void>;
  /** Pid of its first process. */
  pid(id: string): Promise<number>;
}

/** Speaks to the engine behind a unix socket, as the command line does: `fetch` adds the hops of its own thread. */
export function docker(socket: string): Docker {
  const call = async (method: string, path: string, body?: object): Promise<Answer> => {
    const answer = await exchange({ kind: "unix", path: socket }, `/v1.44${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const json = async <T>(answer: Promise<Answer>): Promise<T> => (await (await answer).json()) as T;
  const drain = async (answer: Promise<Answer>): Promise<void> => void (await (await answer).text());
  return {
    create: async (image, command, host = {}) => {
      const body = { Image: image, Cmd: command, HostConfig: { NetworkMode: "none", ...host } };
      return (await json<{ Id: string }>(call("POST", "/containers/create", body))).Id;
    },
    start: (id) => drain(call("POST", `/containers/${id}/start`)),
    wait: async (id) =>
      (await json<{ StatusCode: number }>(call("POST", `/containers/${id}/wait`))).StatusCode,
    remove: (id, force = false) => drain(call("DELETE", `/containers/${id}?force=${force}`)),
    inspect: (id) => drain(call("GET", `/containers/${id}/json`)),
    pid: async (id) =>
      (await json<{ State: { Pid: number } }>(call("GET", `/containers/${id}/json`))).State.Pid,
  };
}

/** Makes `count` sleeping containers from `clients` at once; returns their ids and the seconds it took. */
export async function startMany(
  engine: Docker,
  image: string,
  count: number,
  clients: number,
): Promise<{ ids: string[]; seconds: number }> {
  const ids: string[] = [];
  const began = performance.now();
  await inParallel(count, clients, async () => {
    const id = await engine.create(image, ["/bin/sleep", "1000000"]);
    await engine.start(id);
    ids.push(id);
  });
  return { ids, seconds: (performance.now() - began) / 1000 };
}

/** Removes containers, running or not, eight at once. */
export async function removeMany(engine: Docker, ids: readonly string[]): Promise<void> {
  const left = [...ids];
  await inParallel(ids.length, 8, async () => engine.remove(left.pop() ?? "", true));
}

async function inParallel(count: number, clients: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: clients }, client));
}
