import type { Command } from "../command.ts";
import type { Flags } from "./flag.ts";

const WIDTH = 80;

/** The text of `cais COMMAND --help`, in Docker's layout. */
export function helpText(command: Command<Flags>): string {
  const parts = [`Usage:  cais ${command.name} ${command.usage}`, command.summary];
  if (command.details) parts.push(command.details);
  if (command.aliases?.length) {
    const names = [...command.aliases, command.name].map((name) => `cais ${name}`);
    parts.push(`Aliases:\n  ${names.join(", ")}`);
  }
  const options = optionsText(command.flags);
  if (options) parts.push(`Options:\n${options}`);
  return `${parts.join("\n\n")}\n`;
}

/** Two columns: the flags, and what they do, wrapped at the terminal's classic width. */
export function optionsText(flags: Flags): string {
  const rows = Object.keys(flags)
    .sort()
    .map((name) => {
      const flag = flags[name] as Flags[string];
      const left = `  ${flag.short ? `-${flag.short}, ` : "    "}--${name}${flag.type && ` ${flag.type}`}`;
      const shown = flag.shown === undefined ? "" : ` (default ${flag.shown})`;
      return [left, flag.help + shown] as const;
    });
  const column = Math.max(0, ...rows.map(([left]) => left.length)) + 3;
  return rows
    .map(([left, right]) => left.padEnd(column) + wrap(right, WIDTH - column).join(`\n${" ".repeat(column)}`))
    .join("\n");
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}
