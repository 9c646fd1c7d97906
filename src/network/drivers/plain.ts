import { Refusal } from "../../oci/error.ts";
import type { Driver } from "./driver.ts";

/** Kinds without interfaces of their own: there is one network of each, and it is always there. */
const plain = (name: "host" | "null"): Driver => ({
  name,
  addressed: false,
  check: ({ configOnly }) => {
    if (!configOnly) throw new Refusal("forbidden", `only one instance of "${name}" network is allowed`);
  },
  bridge: () => null,
  parent: () => null,
  outward: () => "nowhere",
  keepsGateway: () => false,
  link: () => null,
  mtu: () => undefined,
  interfacePrefix: () => "",
});

/** The host's own network. */
export const host = plain("host");

/** No network but the loopback. */
export const none = plain("null");
