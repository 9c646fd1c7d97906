import { compile } from "../../kernel/seccomp/compile.ts";
import { defaultPolicy } from "../../kernel/seccomp/default.ts";
import { parseProfile } from "../../kernel/seccomp/parse.ts";
import { type Profile, resolveProfile } from "../../kernel/seccomp/profile.ts";
import { Refusal } from "../../oci/error.ts";
import type { Seccomp } from "../../oci/runtime/seccomp.ts";
import type { HostConfig } from "../../wire/container.ts";
import { boundingSet } from "./capabilities.ts";
import type { SpecFacts } from "./facts.ts";

/** What `--security-opt` asks for. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** Docker's default, none at all, or the text of a profile. */
  readonly seccomp: "default" | "unconfined" | { readonly profile: string };
  /** Name of a profile that the kernel has. */
  readonly apparmor?: string;
  readonly labels: readonly string[];
  readonly writableCgroups: boolean;
}

/**
 * The words of `--security-opt`; `:` may stand for `=`. Labels of SELinux are refused unless they ask for none:
 * nothing is to be taken for confined that is not.
 * @returns a sentence of Docker's for a word that is none
 */
export function parseSecurityOptions(words: readonly string[] | null | undefined): SecurityOptions | string {
  const options: { -readonly [key in keyof SecurityOptions]: SecurityOptions[key] } = {
    noNewPrivileges: false,
    seccomp: "default",
    labels: [],
    writableCgroups: false,
  };
  for (const word of words ?? []) {
    if (word === "no-new-privileges") {
      options.noNewPrivileges = true;
      continue;
    }
    if (word === "writable-cgroups") {
      options.writableCgroups = true;
      continue;
    }
    if (word === "disable") continue;
    const match = /^([^=:]*)[=:](.*)$/s.exec(word);
    if (!match) return `invalid --security-opt 1: ${JSON.stringify(word.slice(0, 80))}`;
    const [, key = "", value = ""] = match;
    const wrong = `invalid --security-opt 2: ${JSON.stringify(word.slice(0, 80))}`;
    const flag = boolean(value);
    if (key === "label") {
      // No label is what every container has here.
      if (value !== "disable") {
        return `invalid --security-opt ${JSON.stringify(word.slice(0, 80))}: cais sets no SELinux labels; use label=disable or leave it out`;
      }
      options.labels = [...options.labels, value];
    } else if (key === "apparmor") {
      options.apparmor = value;
    } else if (key === "seccomp") options.seccomp = seccompOption(value);
    else if (flag === undefined) return wrong;
    else if (key === "no-new-privileges") options.noNewPrivileges = flag;
    else if (key === "writable-cgroups") options.writableCgroups = flag;
    else return wrong;
  }
  return options;
}

/** The policy of a container with these capabilities; none with `--privileged` or `seccomp=unconfined`. */
export function seccompOf(
  host: HostConfig,
  option: SecurityOptions["seccomp"],
  capabilities: readonly string[],
  { arch, kernel }: Pick<SpecFacts, "arch" | "kernel">,
): Seccomp | undefined {
  // A profile asked for by name holds for privileged containers too.
  if (option === "unconfined" || (host.Privileged && option === "default")) return undefined;
  if (option === "default") return defaultPolicy({ arch, kernel, capabilities });
  const key = `${arch} ${kernel} ${capabilities.join(" ")}\n${option.profile}`;
  const known = customPolicies.get(key);
  if (known !== undefined) return known;
  const profile = customProfile(option.profile);
  if (profile === undefined) return undefined;
  const policy = resolveProfile(profile, { arch, kernel, capabilities });
  if (customPolicies.size >= MOST_POLICIES) customPolicies.clear();
  customPolicies.set(key, policy);
  return policy;
}

/** The same object for the same profile: a policy is compiled once (`src/kernel/seccomp/compile.ts`). */
const customPolicies = new Map<string, Seccomp>();
const MOST_POLICIES = 16;

/** Compile what most containers have ahead of the first start: cold, it takes as long as the rest of a start. */
export function compileDefaultPolicy(facts: Pick<SpecFacts, "arch" | "kernel" | "capabilities">): void {
  const policy = seccompOf({}, "default", boundingSet({}, facts.capabilities), facts);
  if (policy !== undefined) compile(policy, facts.arch);
}

/** Undefined for one that says nothing. */
function customProfile(text: string): Profile | undefined {
  try {
    return parseProfile(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal("invalid", `Decoding seccomp profile failed: ${reason}`, { cause: error });
  }
}

function seccompOption(value: string): SecurityOptions["seccomp"] {
  if (value === "unconfined") return "unconfined";
  return value === "" || value === "builtin" ? "default" : { profile: value };
}

/** As Go reads booleans. */
function boolean(text: string): boolean | undefined {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  return ["0", "f", "F", "false", "FALSE", "False"].includes(text) ? false : undefined;
}
