const [first = "", ...rest] = process.argv.slice(2);
// A runtime is called for every container, and under this name by those who take its name from its path.
const runtime = first === "runtime" || /(^|\/)cais-runtime$/.test(process.argv0);
const code = runtime
  ? import("../runtime/main.ts").then((it) => it.runtime(first === "runtime" ? rest : process.argv.slice(2)))
  : import("./dispatch.ts").then((it) => it.dispatch(process.argv.slice(2)));
code.then((status) => process.exit(status));

export {};
