import { Refusal } from "../oci/error.ts";

/** The options `type`, `device` and `o` of a local volume: what mount(8) would be given. */
export interface MountOptions {
  /** File system; "none" for a bind mount. */
  readonly type: string;
  readonly device: string;
  /** Comma-separated, split: `["bind", "ro"]`. */
  readonly options: readonly string[];
}

const KNOWN = ["type", "device", "o", "size"];

/** Checks a volume's driver options; undefined when they ask for no mount. */
export function mountOf(name: string, options: Readonly<Record<string, string>>): MountOptions | undefined {
  const unknown = Object.keys(options).find((key) => !KNOWN.includes(key));
  if (unknown !== undefined) throw new Refusal("invalid", `create ${name}: invalid option: "${unknown}"`);
  if (options.size !== undefined)
    throw new Refusal("invalid", `create ${name}: quota size requested but no quota support`);
  const { type = "", device = "", o = "" } = options;
  if (type === "" && device === "" && o === "") return undefined;
  const list = o.split(",").filter((option) => option !== "");
  const bind = list.includes("bind") || list.includes("rbind");
  if (type === "" && !bind) throw new Refusal("invalid", `create ${name}: missing required option: "type"`);
  if (device === "") throw new Refusal("invalid", `create ${name}: missing required option: "device"`);
  if (bind && !device.startsWith("/"))
    throw new Refusal("invalid", `create ${name}: the device of a bind mount is an absolute path`);
  return { type: type === "" ? "none" : type, device, options: list };
}
