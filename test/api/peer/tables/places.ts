/** Places of an inspection that may differ: the driver's data, and words that are each engine's own. */
export const INSPECT = [
  "NetworkSettings.SandboxKey",
  "-GraphDriver*",
  "Driver",
  "-HostConfig.Runtime",
  "-AppArmorProfile",
  "-HostConfig.LogConfig.Config*",
  "HostConfig.CgroupnsMode",
];

/** Docker knows where a volume is only after the start. */
export const LIST = ["[*].Mounts[*].Source"];

/** What a parser of JSON says after `invalid JSON` is its own. */
export const PARSED = { free: ["message"] };
