import { type Case, get, gone, post, scene } from "../table.ts";
import { UPGRADE } from "./attaching.ts";

export const executing: readonly Case[] = [
  {
    name: "exec",
    steps: [
      scene("ex"),
      post("/containers/ex/exec", { body: { Cmd: ["true"] } }),
      post("/containers/ex/start", { silent: true }),
      post("/containers/ex/exec", { body: {} }),
      post("/containers/ex/exec", { body: { Cmd: [] } }),
      post("/containers/ex/exec", { body: "{", free: ["message"] }),
      post("/containers/ex/exec", { body: { Cmd: "true" }, free: ["message"] }),
      post("/containers/ex/exec", { body: { Cmd: ["true"], DetachKeys: "nonsense" } }),
      post("/containers/ex/exec", {
        body: {
          Cmd: ["sh", "-c", "echo out; sleep 0.1; echo err >&2; exit 6"],
          AttachStdout: true,
          AttachStderr: true,
        },
        keep: ["id", "Id"],
      }),
      get("/exec/{id}/json"),
      get("/containers/ex/json", {
        view: ({ body }) => (JSON.parse(body.toString()) as { ExecIDs: string[] | null }).ExecIDs?.length,
      }),
      post("/exec/{id}/start", { body: {}, sent: UPGRADE, input: "" }),
      get("/exec/{id}/json"),
      post("/exec/{id}/start", { body: {} }),
      post("/exec/{id}/start", { body: { Detach: true } }),
      get("/exec/nothing/json"),
      post("/exec/nothing/start", { body: {} }),
      post("/exec/nothing/resize?h=1&w=1"),
      gone("ex"),
      get("/exec/{id}/json"),
    ],
  },
  {
    name: "exec with input, detached, on a terminal",
    steps: [
      scene("ex2"),
      post("/containers/ex2/start", { silent: true }),
      post("/containers/ex2/exec", {
        body: { Cmd: ["cat"], AttachStdin: true, AttachStdout: true },
        keep: ["in", "Id"],
      }),
      post("/exec/{in}/start", { body: {}, sent: UPGRADE, input: "through\n" }),
      get("/exec/{in}/json"),
      post("/containers/ex2/exec", {
        body: { Cmd: ["cat"], AttachStdin: true, AttachStdout: true },
        keep: ["in2", "Id"],
      }),
      post("/exec/{in2}/start", { body: {}, input: "through\n" }),
      post("/containers/ex2/exec", {
        body: { Cmd: ["cat"], AttachStdin: true, AttachStdout: true },
        keep: ["in3", "Id"],
      }),
      post("/v1.41/exec/{in3}/start", { body: {}, input: "through\n" }),
      post("/containers/ex2/exec", {
        body: {
          Cmd: ["sh", "-c", "echo $A; pwd; id -u; stty size"],
          Tty: true,
          AttachStdout: true,
          Env: ["A=b"],
          WorkingDir: "/var",
          User: "www",
          ConsoleSize: [30, 40],
        },
        keep: ["tty", "Id"],
      }),
      get("/exec/{tty}/json"),
      post("/exec/{tty}/start", { body: { Tty: true, ConsoleSize: [31, 41] }, sent: UPGRADE, input: "" }),
      post("/containers/ex2/exec", { body: { Cmd: ["true"] }, keep: ["detached", "Id"] }),
      post("/exec/{detached}/start", { body: { Detach: true } }),
      post("/containers/ex2/exec", {
        body: { Cmd: ["nonesuch"], AttachStdout: true },
        keep: ["missing", "Id"],
      }),
      post("/exec/{missing}/start", { body: {}, bodyless: true }),
      get("/exec/{missing}/json"),
      post("/containers/ex2/exec", { body: { Cmd: ["nonesuch"] }, keep: ["missing2", "Id"] }),
      post("/exec/{missing2}/start", { body: { Detach: true }, bodyless: true }),
      post("/containers/ex2/exec", { body: { Cmd: ["true"], User: "nobodythere" }, keep: ["user", "Id"] }),
      post("/exec/{user}/start", { body: { Detach: true }, bodyless: true }),
      post("/containers/ex2/exec", { body: { Cmd: ["true"] }, keep: ["plain", "Id"] }),
      post("/exec/{plain}/start", { body: { ConsoleSize: [1, 2] } }),
      post("/exec/{plain}/start", { body: "x", free: ["message"] }),
      gone("ex2"),
    ],
    noEvents: true,
  },
  {
    name: "what execs tell",
    steps: [
      scene("ex3"),
      post("/containers/ex3/start", { silent: true }),
      post("/containers/ex3/exec", {
        body: { Cmd: ["sh", "-c", "exit 4"], AttachStdout: true },
        keep: ["one", "Id"],
      }),
      post("/exec/{one}/start", { body: {}, sent: UPGRADE, input: "" }),
      gone("ex3"),
    ],
  },
];
