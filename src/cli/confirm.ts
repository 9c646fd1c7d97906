import { caller } from "./caller/caller.ts";
import { out } from "./output.ts";

/** No answer is as long. */
const LONGEST = 64;

/** Asks before something is lost; anything but `y` is no, and so is an interrupt, which ends the line. */
export async function confirm(warning: string): Promise<boolean> {
  caller().own();
  // An answer may come as soon as the question is there.
  const answer = line();
  out(`${warning}\nAre you sure you want to continue? [y/N] `);
  return /^y(es)?$/i.test((await answer).split("\n", 1)[0]?.trim() ?? "");
}

/** The first line of standard input; empty where there is none, or where somebody interrupts. */
function line(): Promise<string> {
  const { stdin } = process;
  let text = "";
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        out("\n");
        resolve("");
      });
    }
    stdin.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n") || text.length > LONGEST) resolve(text);
    });
    stdin.once("end", () => resolve(text));
    stdin.once("error", () => resolve(""));
  });
}
