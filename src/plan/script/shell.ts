/** A word for a POSIX shell, quoted where it must be. */
export function quote(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text) && !text.startsWith("~")) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Comment lines: nothing of `text` can leave the comment. */
export function comment(text: string): string {
  return `# ${text.replaceAll(/[\n\r]/g, " ")}`;
}

/** A command that writes `text` and a newline to standard output. `echo` is only for what every shell's echo prints. */
export function print(text: string): string {
  const line = text.endsWith("\n") ? text.slice(0, -1) : text;
  return /^[\w.,:/+= -]*$/.test(line) && !/^-[neE]/.test(line)
    ? `echo ${quote(line)}`
    : `printf '%s\\n' ${quote(line)}`;
}
