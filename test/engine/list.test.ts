import assert from "node:assert/strict";
import { test } from "node:test";
import { options, suiteEngine, type TestEngine } from "./engine-fixture.ts";

let engine: TestEngine;
suiteEngine((started) => {
  engine = started;
});

async function create(name: string, HostConfig: object = {}): Promise<void> {
  const { status, text } = await engine.ask("POST", `/containers/create?name=${name}`, {
    Image: "busybox:test",
    Cmd: ["sleep", "100"],
    HostConfig,
  });
  assert.equal(status, 201, text);
}

interface Listed {
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
}

const list = async (): Promise<readonly Listed[]> =>
  JSON.parse((await engine.ask("GET", "/containers/json?all=1")).text) as Listed[];

test("a container is listed with what others call it, and with the name of its image", options, async () => {
  await create("child");
  assert.equal((await engine.ask("POST", "/containers/child/start")).status, 204);
  await create("one", { Links: ["child:db"] });
  await create("two", { Links: ["child:db", "child:store"] });
  const names = (await list()).map(({ Names }) => Names);
  assert.deepEqual(names, [["/two"], ["/one"], ["/child", "/one/db", "/two/db", "/two/store"]]);
});

test("a container is found by the beginning of its network's id", options, async () => {
  const { Id } = (await engine.json("GET", "/networks/bridge")) as { Id: string };
  await create("wired", { NetworkMode: "bridge" });
  assert.equal((await engine.ask("POST", "/containers/wired/start")).status, 204);
  const on = async (network: string) => {
    const filters = encodeURIComponent(JSON.stringify({ network: [network] }));
    const { text } = await engine.ask("GET", `/containers/json?filters=${filters}`);
    return (JSON.parse(text) as Listed[]).some(({ Names }) => Names.includes("/wired"));
  };
  assert.deepEqual(
    [await on(Id.slice(0, 4)), await on(Id.slice(1, 9)), await on("brid")],
    [true, false, false],
  );
});

test("where the name of an image means another one now, its id is listed", options, async () => {
  await create("old");
  const [before] = await list();
  assert.equal(before?.Image, "busybox:test");
  assert.equal((await engine.ask("POST", "/commit?container=old&repo=busybox&tag=test")).status, 201);
  const [after] = await list();
  assert.equal(after?.Image, before?.ImageID);
});

test(
  "a thousand containers are listed in time that grows with their number, not its square",
  options,
  async () => {
    const spent = async (): Promise<number> => {
      const times: number[] = [];
      for (let each = 0; each < 15; each++) {
        const began = performance.now();
        await list();
        times.push(performance.now() - began);
      }
      return times.toSorted((a, b) => a - b)[3]!;
    };
    for (let each = 0; each < 100; each++) await create(`few-${each}`);
    const few = await spent();
    for (let each = 0; each < 700; each++) await create(`many-${each}`);
    const many = await spent();
    assert.ok(many < few * 8 * 3, `${few} ms for a hundred, ${many} ms for eight hundred`);
  },
);
