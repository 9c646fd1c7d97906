import type { Answer } from "../ask.ts";
import { type Case, create, del, get, IMAGE, post } from "../table.ts";

/** What the events were, in no order: Docker's threads race here and there. */
const told = ({ body }: Answer): unknown =>
  body
    .toString()
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const { Type, Action, Actor } = JSON.parse(line) as {
        Type: string;
        Action: string;
        Actor: { Attributes: Record<string, string> };
      };
      return `${Type} ${Action} ${Actor.Attributes.name ?? ""}`;
    })
    .sort();

const FILTERS: readonly object[] = [
  { container: ["fl-one"] },
  { container: ["fl"] },
  { container: ["{id}"] },
  { container: ["{id}", "nobody"] },
  { container: ["nobody"] },
  { container: [] },
  { network: ["fl-net"] },
  { network: ["fl"] },
  { network: ["{net}"] },
  { container: ["fl-one"], type: ["network"] },
  { container: ["fl-one"], network: ["fl-net"] },
  { volume: ["fl-vol"] },
  { volume: ["fl"] },
  { image: [IMAGE] },
  { image: ["cais-peer"] },
  { image: ["cais"] },
  { type: ["container"] },
  { type: ["container", "volume"] },
  { type: ["contain"] },
  { event: ["start"] },
  { event: ["exec_create"] },
  { event: ["exec_create", "die"] },
  { event: ["exec_start: true"] },
  { event: ["exec"] },
  { event: ["kill", "stop"] },
  { label: ["a"] },
  { label: ["a=1"] },
  { label: ["a=2"] },
  { label: ["a=1", "b"] },
  { label: ["a=1", "c"] },
  { label: ["b=x=y"] },
  { scope: ["local"] },
  { scope: ["swarm"] },
  { daemon: ["x"] },
  { plugin: ["x"] },
  { node: ["x"] },
  { nonsense: ["x"] },
];

export const filtering: readonly Case[] = [
  {
    name: "events of some kinds",
    noEvents: true,
    steps: [
      post("/networks/create", {
        body: { Name: "fl-net", IPAM: { Config: [{ Subnet: "10.99.77.0/24" }] } },
        keep: ["net", "Id"],
      }),
      create(
        "fl-one",
        { Labels: { a: "1", b: "x=y" } },
        { NetworkMode: "fl-net", Binds: ["fl-vol:/v"] },
        { keep: ["id", "Id"] },
      ),
      post("/containers/fl-one/start"),
      post("/containers/fl-one/exec", { body: { Cmd: ["true"] }, keep: ["exec", "Id"] }),
      post("/exec/{exec}/start", { body: {} }),
      post("/containers/fl-one/kill?signal=WINCH"),
      post("/containers/fl-one/stop?t=0"),
      del("/containers/fl-one?v=1"),
      del("/networks/fl-net"),
      del("/volumes/fl-vol"),
      ...FILTERS.map((filters) => {
        const text = encodeURIComponent(JSON.stringify(filters)).replace(/%7B(\w+)%7D/g, "{$1}");
        return get(`/events?since={begun}&until={later}&filters=${text}`, { view: told });
      }),
    ],
  },
];
