import { Refusal } from "./error.ts";

/** Go's names, as configurations of images carry them. */
export interface PlatformName {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  arm64: "arm64",
  x86_64: "amd64",
  aarch64: "arm64",
};

/** Go's names (`go tool dist list`) that stand alone. */
const SYSTEMS = new Set(
  "aix android darwin dragonfly freebsd illumos ios linux netbsd openbsd plan9 solaris windows".split(" "),
);
const OTHERS = new Set(
  "386 arm loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm".split(" "),
);

/** This machine. */
export function hostPlatform(): PlatformName {
  return { os: "linux", architecture: ARCHITECTURES[process.arch] ?? process.arch };
}

/** `os`, `os/arch`, `os/arch/variant` or `arch`; this machine's where a part is missing. */
export function parsePlatform(text: string | undefined): PlatformName {
  if (text === undefined || text === "") return hostPlatform();
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) {
    throw new Refusal("invalid", `"${text}" is an invalid component: platform must be os[/arch[/variant]]`);
  }
  const [first = "", architecture, variant] = parts;
  if (architecture === undefined) {
    const known = ARCHITECTURES[first] ?? (Object.values(ARCHITECTURES).includes(first) ? first : undefined);
    if (known !== undefined) return { os: "linux", architecture: known };
    if (OTHERS.has(first)) return { os: "linux", architecture: first };
    if (SYSTEMS.has(first)) return { ...hostPlatform(), os: first };
    throw new Refusal("invalid", `"${text}": unknown operating system or architecture: invalid argument`);
  }
  const name = { os: first, architecture: ARCHITECTURES[architecture] ?? architecture };
  return variant === undefined ? name : { ...name, variant };
}

/** Whether what is for `one` can be used where `wanted` was asked for. */
export const isFor = (one: PlatformName, wanted: PlatformName): boolean =>
  one.os === wanted.os && one.architecture === wanted.architecture;

/** `linux/arm/v7` */
export const platformText = ({ os, architecture, variant }: PlatformName): string =>
  [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
