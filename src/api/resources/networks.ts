import { findNetwork, networks as fixed } from "../../engine/networks.ts";
import { unsupported } from "../../engine/refuse.ts";
import { Refusal } from "../../oci/error.ts";
import { replyJson } from "../failure.ts";
import { filters } from "../request.ts";
import { del, get, parameter, post, type Route } from "../route.ts";

const later = (): never => {
  throw unsupported(
    "user-defined networks are not supported by this version of cais: use bridge, host or none",
  );
};

/** Networks: the three that are always there. */
export const networks: readonly Route[] = [
  get("/networks", (_, exchange) => {
    const asked = filters(exchange, ["dangling", "driver", "id", "label", "name", "scope", "type"]);
    const one = (values: readonly string[] | undefined, test: (value: string) => boolean): boolean =>
      !values || values.length === 0 || values.some(test);
    replyJson(
      exchange,
      fixed().filter(
        ({ Name, Id, Driver, Scope }) =>
          one(asked.name, (value) => Name.includes(value)) &&
          one(asked.id, (value) => Id.startsWith(value)) &&
          one(asked.driver, (value) => Driver === value) &&
          one(asked.scope, (value) => Scope === value) &&
          one(asked.type, (value) => value === "builtin") &&
          one(asked.dangling, (value) => value === "false") &&
          !asked.label?.length,
      ),
    );
  }),
  post("/networks/create", later),
  post("/networks/prune", (_, exchange) => replyJson(exchange, { NetworksDeleted: null })),
  post("/networks/{id}/connect", later),
  post("/networks/{id}/disconnect", later),
  get("/networks/{id}", (_, exchange, parameters) =>
    replyJson(exchange, findNetwork(parameter(parameters, "id"))),
  ),
  del("/networks/{id}", (_, __, parameters) => {
    const { Name } = findNetwork(parameter(parameters, "id"));
    throw new Refusal("forbidden", `${Name} is a pre-defined network and cannot be removed`);
  }),
];
