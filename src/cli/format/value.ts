/** What templates work on: JSON, missing things, and things that can be called. */
export type Value = undefined | null | boolean | number | string | readonly Value[] | Fields | Call;
export interface Fields {
  readonly [name: string]: Value;
}
export type Call = (...args: readonly Value[]) => Value;

/** Go tells an absent list and an absent map from each other and from nil; JSON says null for all of them. */
export const NIL_LIST: readonly Value[] = Object.freeze([]);
export const NIL_MAP: Fields = Object.freeze({});

/** Objects that Go has as maps: missing keys are no error, and they print as `map[…]`. */
const maps = new WeakSet<object>([NIL_MAP]);

/** Whether Go would have this object as a map; otherwise it is a struct. */
export function isMap(value: object): boolean {
  return maps.has(value);
}

/** Makes an object a map for templates; returns it. */
export function markMap<T extends object>(value: T): T {
  maps.add(value);
  return value;
}

/** Fields that are maps in Docker's types. */
const mapNames = new Set(
  "Annotations AuxiliaryAddresses Attributes Config.LogConfig Containers Data Details DriverOpts ExposedPorts Labels LogConfig.Config Networks Options PortBindings Ports Runtimes StorageOpt Sysctls Tmpfs Volumes".split(
    " ",
  ),
);
/** Fields that are pointers to single values in Docker's types. */
const pointerNames = new Set(
  "ExitCode Health Healthcheck IPAMConfig Init MemorySwappiness OomKillDisable PidsLimit StopTimeout UsageData Status".split(
    " ",
  ),
);

/** What Docker's JSON leaves out where it is zero, by the field that the object is in: templates have it all the same. */
const leftOut: Readonly<Record<string, Fields>> = {
  Config: {
    ArgsEscaped: false,
    ExposedPorts: NIL_MAP,
    MacAddress: "",
    NetworkDisabled: false,
    Shell: NIL_LIST,
    StopSignal: "",
  },
  Healthcheck: { Test: NIL_LIST, Interval: 0, Timeout: 0, StartPeriod: 0, StartInterval: 0, Retries: 0 },
  HostConfig: {
    Annotations: NIL_MAP,
    Init: null,
    Mounts: NIL_LIST,
    StorageOpt: NIL_MAP,
    Sysctls: NIL_MAP,
    Tmpfs: NIL_MAP,
  },
  "Mounts[]": { Name: "", Driver: "" },
  "Config[]": { IPRange: "", AuxAddress: NIL_MAP },
};

/** Gives JSON of the engine the types that Go's printing and look-ups depend on. */
export function typed(value: unknown, name = ""): Value {
  if (value === null) return pointerNames.has(name) ? null : mapNames.has(name) ? NIL_MAP : NIL_LIST;
  if (Array.isArray(value)) return value.map((item) => typed(item, `${name}[]`));
  if (typeof value !== "object") return value as Value;
  const fields: Record<string, Value> = {};
  for (const [key, item] of Object.entries(value as object)) {
    const isLogOptions = name === "LogConfig" && key === "Config";
    fields[key] = typed(item, isLogOptions ? "LogConfig.Config" : key);
  }
  for (const [key, zero] of Object.entries(leftOut[name] ?? {})) {
    // It is not printed with the rest.
    if (!Object.hasOwn(fields, key)) Object.defineProperty(fields, key, { value: zero });
  }
  return mapNames.has(name) ? markMap(fields) : fields;
}

/** Go's idea of emptiness, for `if`, `and`, `or`, `not`, `with`. */
export function truth(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null && isMap(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}
