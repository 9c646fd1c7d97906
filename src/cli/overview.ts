import { globalFlags } from "./context.ts";
import { optionsText } from "./flags/help.ts";
import { err, out } from "./output.ts";
import { commands, groups } from "./registry.ts";
import { VERSION } from "./version.ts";

const common = ["run", "exec", "ps", "build", "images", "logs", "explain", "stop", "rm"];

/** The text of `cais --help`, or of one command for `cais help COMMAND`. */
export async function printOverview(words: readonly string[]): Promise<number> {
  const [word] = words;
  if (word !== undefined) {
    const load = commands[words.join(" ")] ?? commands[word];
    if (load) {
      const { helpText } = await import("./flags/help.ts");
      out(helpText((await load()).default));
      return 0;
    }
    if (Object.hasOwn(groups, word)) return printGroup(word);
    err(`cais: unknown help topic: ${words.join(" ")}\n`);
    return 1;
  }
  const single = Object.keys(commands).filter((name) => !name.includes(" ") && !common.includes(name));
  out(
    [
      "Usage:  cais [OPTIONS] COMMAND",
      "A container engine with nothing under it but the kernel",
      `Common Commands:\n${await table(common)}`,
      `Management Commands:\n${Object.keys(groups)
        .map((name) => `  ${name.padEnd(11)} Manage ${name === "system" ? "cais" : `${name}s`}`)
        .join("\n")}`,
      `Commands:\n${await table(single)}`,
      `Global Options:\n${optionsText(globalFlags)}`,
      "Run 'cais COMMAND --help' for more information on a command.\n",
    ].join("\n\n"),
  );
  return 0;
}

/** The text of `cais container` and its kind. */
export async function printGroup(name: string): Promise<number> {
  const group = groups[name] ?? {};
  const shown = Object.keys(group).filter(
    (key) => !["list", "remove"].includes(key) && !(key === "ps" && group.ls),
  );
  const rows = await Promise.all(
    shown
      .sort()
      .map(async (key) => `  ${key.padEnd(11)} ${(await commands[group[key] ?? ""]?.())?.default.summary}`),
  );
  out(
    `Usage:  cais ${name} COMMAND\n\nManage ${name === "system" ? "cais" : `${name}s`}\n\nCommands:\n${rows.join("\n")}\n\nRun 'cais ${name} COMMAND --help' for more information on a command.\n`,
  );
  return 0;
}

/** The line of `cais --version`. */
export function printVersion(): number {
  out(`cais version ${VERSION}\n`);
  return 0;
}

async function table(names: readonly string[]): Promise<string> {
  const rows = await Promise.all(
    names.map(async (name) => `  ${name.padEnd(11)} ${(await commands[name]?.())?.default.summary}`),
  );
  return rows.join("\n");
}
