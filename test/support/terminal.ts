import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { CAIS } from "./cais.ts";

/** `cais` on a real terminal: what a person at a keyboard has. */
export interface Terminal extends AsyncDisposable {
  /** Types. */
  readonly type: (keys: string) => void;
  /** Resolves once the screen has shown `pattern` after what was awaited last; rejects when it ends before. */
  readonly until: (pattern: string | RegExp) => Promise<string>;
  /** Changes the size of the window: the foreground process gets SIGWINCH. */
  readonly resize: (rows: number, columns: number) => void;
  /** Exit code of the command, as a shell has it. */
  readonly ended: Promise<number>;
  /** Everything shown so far. */
  readonly screen: () => string;
}

/** Runs `cais …args` on a new pseudo-terminal of 24 by 80, made by util-linux's `script`. */
export async function openTerminal(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Terminal> {
  const line = ["exec", CAIS, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  // The name of the terminal comes first: `stty -F` needs it to resize from outside.
  const script = `tty; stty rows 24 cols 80; ${line.replace(/^'exec'/, "exec")}`;
  const child = spawn("script", ["-q", "-e", "-c", script, "/dev/null"], {
    env: { ...env, TERM: "xterm", SHELL: "/bin/sh" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  let read = 0;
  let over = false;
  let wake = () => {};
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    shown += chunk;
    wake();
  });
  child.stdin.on("error", () => {});
  const ended = once(child, "close").then(([code]) => {
    over = true;
    wake();
    return Number(code);
  });

  const until = async (pattern: string | RegExp): Promise<string> => {
    const wanted =
      typeof pattern === "string" ? new RegExp(pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")) : pattern;
    for (;;) {
      const match = wanted.exec(shown.slice(read));
      if (match) {
        read += match.index + match[0].length;
        return match[0];
      }
      if (over) throw new Error(`The command ended without showing ${wanted}; it showed:\n${shown}`);
      await new Promise<void>((resolve, reject) => {
        const late = () => reject(new Error(`${wanted} is not on the screen after 30 s:\n${shown}`));
        const timer = setTimeout(late, 30_000);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };

  const name = (await until(/\/dev\/pts\/\d+/)).trim();
  return {
    type: (keys) => void child.stdin.write(keys),
    until,
    resize: (rows, columns) =>
      void spawnSync("stty", ["-F", name, "rows", String(rows), "cols", String(columns)]),
    ended,
    screen: () => shown,
    [Symbol.asyncDispose]: async () => {
      if (!over) child.kill("SIGKILL");
      await ended;
    },
  };
}
