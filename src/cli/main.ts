const [first = "", ...rest] = process.argv.slice(2);
// A runtime is called for every container, and under this name by those who take its name from its path.
const runtime = first === "runtime" || /(^|\/)cais-runtime$/.test(process.argv0);
// The command line is in the first piece that is loaded: a piece of its own would cost each command half a millisecond.
const code = runtime
  ? import("../runtime/main.ts").then((it) => it.runtime(first === "runtime" ? rest : process.argv.slice(2)))
  : commandLine();
code.then((status) => process.exit(status));

function commandLine(): Promise<number> {
  const { dispatch } = require("./dispatch.ts") as typeof import("./dispatch.ts");
  return dispatch(process.argv.slice(2));
}

export {};
