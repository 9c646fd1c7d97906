/** The container that a `container:ID` mode names; undefined for any other mode. */
export function containerOf(mode: string | undefined): string | undefined {
  return mode?.startsWith("container:") ? mode.slice("container:".length) : undefined;
}

/** Neither the host's network nor another container's. */
export function ownNetwork(mode: string | undefined): boolean {
  return mode !== "host" && containerOf(mode) === undefined;
}
