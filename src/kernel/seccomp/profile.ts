import type { Arch } from "../arch.ts";
import type { Policy, Rule } from "./policy.ts";

/**
 * A seccomp profile as Docker and Podman take it (`--security-opt seccomp=FILE`): a policy whose rules may depend on
 * what the container may do and where it runs.
 */
export interface Profile extends Omit<Policy, "syscalls"> {
  readonly archMap?: readonly {
    readonly architecture: string;
    readonly subArchitectures?: readonly string[] | null;
  }[];
  readonly flags?: readonly string[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly ProfileRule[];
}

export interface ProfileRule extends Omit<Rule, "names"> {
  readonly names?: readonly string[];
  /** The older way to say `names: [name]`. */
  readonly name?: string;
  readonly includes?: Filter;
  readonly excludes?: Filter;
}

/** Includes: all that is named must hold. Excludes: the rule is left out as soon as one holds. */
export interface Filter {
  readonly caps?: readonly string[];
  /** As Docker calls processors: `amd64`, `arm64`. */
  readonly arches?: readonly string[];
  /** `4.8`. */
  readonly minKernel?: string;
}

/** What the rules of a profile may depend on. */
export interface Circumstances {
  readonly arch: Arch;
  /** The bounding set, with `CAP_`. */
  readonly capabilities: readonly string[];
  /** `uname -r`. */
  readonly kernel: string;
}

const DOCKER_NAME: Readonly<Record<Arch, string>> = { x86_64: "amd64", aarch64: "arm64" };
const SECCOMP_NAME: Readonly<Record<Arch, string>> = {
  x86_64: "SCMP_ARCH_X86_64",
  aarch64: "SCMP_ARCH_AARCH64",
};

/** The policy that `profile` is under `circumstances`: the `linux.seccomp` of a runtime configuration. */
export function resolveProfile(profile: Profile, circumstances: Circumstances): Policy & ProfileExtras {
  const mapped = (profile.archMap ?? []).find(
    ({ architecture }) => architecture === SECCOMP_NAME[circumstances.arch],
  );
  const architectures = mapped
    ? [mapped.architecture, ...(mapped.subArchitectures ?? [])]
    : profile.architectures;
  const { defaultAction, defaultErrnoRet, flags, listenerPath, listenerMetadata } = profile;
  return {
    defaultAction,
    ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    ...(architectures === undefined || architectures.length === 0 ? {} : { architectures }),
    ...(flags === undefined ? {} : { flags }),
    ...(listenerPath === undefined ? {} : { listenerPath }),
    ...(listenerMetadata === undefined ? {} : { listenerMetadata }),
    syscalls: (profile.syscalls ?? []).filter((rule) => applies(rule, circumstances)).map(plain),
  };
}

type ProfileExtras = Pick<Profile, "flags" | "listenerPath" | "listenerMetadata">;

function applies(rule: ProfileRule, circumstances: Circumstances): boolean {
  const { includes, excludes } = rule;
  const arch = DOCKER_NAME[circumstances.arch];
  const has = (capability: string) => circumstances.capabilities.includes(capability);
  const kernelIs = (least: string) => compareKernels(circumstances.kernel, least) >= 0;
  if (excludes?.arches?.includes(arch)) return false;
  if (excludes?.caps?.some(has)) return false;
  if (excludes?.minKernel !== undefined && kernelIs(excludes.minKernel)) return false;
  if (includes?.arches && includes.arches.length > 0 && !includes.arches.includes(arch)) return false;
  if (includes?.caps && !includes.caps.every(has)) return false;
  return includes?.minKernel === undefined || kernelIs(includes.minKernel);
}

/** The rule without what decided about it. */
function plain({ names, name, action, errnoRet, args }: ProfileRule): Rule {
  return {
    names: name ? [name] : (names ?? []),
    action,
    ...(errnoRet === undefined ? {} : { errnoRet }),
    ...(args && args.length > 0 ? { args } : {}),
  };
}

/** Compares the first two numbers of two kernel releases, as profiles do. */
function compareKernels(a: string, b: string): number {
  const numbers = (release: string) => release.split(/[.-]/, 2).map((part) => Number.parseInt(part, 10) || 0);
  const [majorA = 0, minorA = 0] = numbers(a);
  const [majorB = 0, minorB = 0] = numbers(b);
  return majorA - majorB || minorA - minorB;
}
