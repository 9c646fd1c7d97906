import type { Answer } from "../ask.ts";
import { type Case, create, del, get, gone, post } from "../table.ts";

const parsed = ({ body }: Answer): never => JSON.parse(body.toString()) as never;
const names = {
  view: (answer: Answer) => (parsed(answer) as { Names: string[] }[]).map(({ Names }) => Names),
};
const links = {
  view: (answer: Answer) => {
    const { Name, HostConfig } = parsed(answer) as { Name: string; HostConfig: { Links: string[] | null } };
    // Docker has them in no order.
    return [Name, HostConfig.Links?.sort()];
  },
};
const named = {
  view: (answer: Answer) => {
    const { Name, message } = parsed(answer) as { Name?: string; message?: string };
    return Name ?? message;
  },
};

/** Links of the default bridge: names of containers that other containers give them. */
export const linking: readonly Case[] = [
  {
    name: "a container is found by what others call it",
    noEvents: true,
    steps: [
      create("lk-db", {}, { NetworkMode: "bridge" }),
      post("/containers/lk-db/start"),
      create("lk-app", {}, { NetworkMode: "bridge", Links: ["lk-db:mysql", "lk-db"] }),
      post("/containers/lk-app/start"),
      get("/containers/lk-db/json", links),
      get("/containers/lk-app/json", links),
      get("/containers/json", names),
      get("/containers/lk-app/mysql/json", named),
      get("/containers/lk-app%2Fmysql/json", named),
      get("/containers/lk-app%2Fnobody/json", named),
      get("/containers/nobody%2Fmysql/json", named),
      post("/containers/lk-db/rename?name=lk-store"),
      post("/containers/lk-app/rename?name=lk-shop"),
      get("/containers/json", names),
      get("/containers/lk-shop/json", links),
      get("/containers/lk-shop%2Fmysql/json", named),
      get("/containers/lk-app%2Fmysql/json", named),
      gone("lk-shop"),
      get("/containers/json", names),
      gone("lk-store"),
    ],
  },
  {
    name: "links to one on another's network, and on the host's",
    noEvents: true,
    steps: [
      create("lk-db", {}, { NetworkMode: "bridge" }),
      post("/containers/lk-db/start"),
      create("lk-guest", {}, { NetworkMode: "container:lk-db" }),
      create("lk-further", {}, { NetworkMode: "container:lk-guest" }),
      create("lk-app", {}, { NetworkMode: "bridge", Links: ["lk-further:further"] }),
      get("/containers/lk-app/json", links),
      create("lk-host", {}, { NetworkMode: "host" }),
      create("lk-no", {}, { NetworkMode: "bridge", Links: ["lk-host:host"] }),
      post("/containers/lk-app/start"),
      post("/containers/lk-db/stop?t=0"),
      post("/containers/lk-app/restart?t=0"),
      ...["lk-app", "lk-further", "lk-guest", "lk-host", "lk-db"].map(gone),
    ],
  },
  {
    name: "links are taken away",
    noEvents: true,
    steps: [
      create("lk-db", {}, { NetworkMode: "bridge" }),
      post("/containers/lk-db/start"),
      create("lk-app", {}, { NetworkMode: "bridge", Links: ["lk-db:mysql", "lk-db:other"] }),
      post("/containers/lk-app/start"),
      del("/containers/lk-app?link=1"),
      del("/containers/lk-app/nobody?link=1"),
      del("/containers/nobody/mysql?link=1"),
      del("/containers/lk-app/mysql?link=1"),
      del("/containers/lk-app/mysql?link=1"),
      get("/containers/json", names),
      get("/containers/lk-app/json", links),
      gone("lk-app"),
      gone("lk-db"),
    ],
  },
];
