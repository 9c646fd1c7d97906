import type { Answer } from "../ask.ts";
import { type Case, del, get, IMAGE, post } from "../table.ts";

/** Names and contents of files, as a tar. */
function tar(files: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, content] of Object.entries(files)) {
    const head = Buffer.alloc(512);
    const data = Buffer.from(content);
    head.write(name, 0);
    const size = data.length.toString(8).padStart(11, "0");
    head.write(["0000644", "0000000", "0000000", size, "00000000000", "       "].join("\x00"), 100);
    head.write(" 0", 155);
    head.write(["ustar", "00"].join("\x00"), 257);
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, "0")}\x00 `, 148);
    parts.push(head, data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

interface Message {
  readonly stream?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly code?: number; readonly message: string };
}

const messages = ({ body }: Answer): Message[] =>
  body
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Message);

/**
 * What clients look at: the status, what commands wrote, how often the cache was used, the end, and the exit code.
 * Docker makes a container for every line, which cais does not, and says so.
 */
function outcome(answer: Answer): unknown {
  if (answer.status !== 200) return answer.status;
  const all = messages(answer);
  const said = all.map(({ stream }) => stream ?? "").join("");
  return {
    steps: said.split("\n").filter((line) => line.startsWith("Step ")),
    cached: said.split("Using cache").length - 1,
    wrote: said.split("\n").filter((line) => line.startsWith("wrote")),
    tagged: said.split("\n").filter((line) => line.startsWith("Successfully tagged")),
    built: said.includes("Successfully built"),
    code: all.at(-1)?.errorDetail?.code ?? null,
  };
}

const sent = { "Content-Type": "application/x-tar" };
const build = (query: string, dockerfile: string, files: Readonly<Record<string, string>> = {}) =>
  post(`/build?${query}`, { sent, body: tar({ Dockerfile: dockerfile, ...files }), view: outcome });
const config = (name: string) =>
  get(`/images/${name}/json`, {
    view: ({ body }) => (JSON.parse(body.toString()) as { Config?: object }).Config ?? body.toString(),
  });
const json = (value: unknown): string => encodeURIComponent(JSON.stringify(value));
const FROM = `FROM ${IMAGE}\n`;

export const building: readonly Case[] = [
  {
    name: "an image, its configuration, and the cache",
    noEvents: true,
    steps: [
      build(
        "t=pb:1&t=pb2&rm=1",
        `${FROM}ENV A=1 B=$KIND\nLABEL x="1"\nWORKDIR sub\nUSER 1000\nEXPOSE 81\nVOLUME /v\nRUN echo wrote $A\nCMD ["x"]\n`,
      ),
      config("pb:1"),
      config("pb2"),
      build(
        "t=pb:1&rm=1",
        `${FROM}ENV A=1 B=$KIND\nLABEL x="1"\nWORKDIR sub\nUSER 1000\nEXPOSE 81\nVOLUME /v\nRUN echo wrote $A\nCMD ["x"]\n`,
      ),
      build("t=pb:1&rm=1&nocache=1", `${FROM}RUN echo wrote again\n`),
      del("/images/pb:1", { bodyless: true }),
      del("/images/pb2", { bodyless: true }),
    ],
  },
  {
    name: "only what the named images have is used again",
    noEvents: true,
    steps: [
      build("t=pb:1&rm=1", `${FROM}ENV C=1\nRUN echo wrote c\n`),
      build(`t=pb:2&rm=1&cachefrom=${json(["pb:1"])}`, `${FROM}ENV C=1\nRUN echo wrote c\n`),
      build(`t=pb:3&rm=1&cachefrom=${json(["nosuch"])}`, `${FROM}ENV C=1\nRUN echo wrote c\n`),
      ...[1, 2, 3].map((n) => del(`/images/pb:${n}`, { bodyless: true })),
    ],
  },
  {
    name: "names of a context that are absolute",
    noEvents: true,
    steps: [
      ...["0", "1"].map((bar) =>
        build("t=pb:1&rm=1", `${FROM}COPY bar /\nRUN echo wrote $(cat /bar)\n`, { "/bar": bar }),
      ),
      del("/images/pb:1", { bodyless: true }),
    ],
  },
  {
    name: "what is refused before the first step, and what a quiet build says in the end",
    noEvents: true,
    steps: [
      ...[
        "COPY one\n",
        "COPY --what=1 a b\n",
        "USER\n",
        "SHELL sh\n",
        "ENV x\n",
        'CMD ["a", 1]\n',
        "HEALTHCHECK X y\n",
      ].map((line) => build("rm=1", `${FROM}${line}`)),
      build("rm=1", `FROM ${IMAGE} AS 1st\n`),
      build("rm=1", "RUN x\n"),
      build("rm=1&platform=foobar", FROM),
      build("rm=1&target=nope", FROM),
      build("rm=1", "FROM scratch\n"),
      build("rm=1&forcerm=1&q=1", `${FROM}RUN echo wrote; exit 3\n`),
      build("rm=1&forcerm=1&q=1", `${FROM}RUN echo wrote\n`),
    ],
  },
  {
    name: "what prune of the build cache is asked by everybody, and images without a name",
    noEvents: true,
    steps: [
      ...["label", "label!", "until", "nonsense"].map((name) =>
        post(`/build/prune?filters=${json({ [name]: [name === "until" ? "24h" : "x"] })}`),
      ),
      del("/images/%20"),
    ],
  },
  {
    name: "files of the context that the engine reads",
    noEvents: true,
    steps: [
      post("/build?t=pb:1&rm=1", {
        sent,
        body: tar({ dockerfile: `${FROM}RUN echo wrote by another name\n` }),
        view: outcome,
      }),
      ...["Dockerfile\n", "**\n!x\n", "x\n"].map((list) =>
        build("t=pb:1&rm=1", `${FROM}COPY . /c\nRUN echo wrote $(ls -A /c)\n`, {
          ".dockerignore": list,
          x: "",
        }),
      ),
      del("/images/pb:1", { bodyless: true }),
    ],
  },
  {
    name: "layers of commands that changed nothing, and nothing at all below",
    noEvents: true,
    steps: [
      build("t=pb:1&rm=1", `${FROM}RUN true\nRUN []\n`),
      get("/images/pb:1/json", {
        view: ({ body }) =>
          (JSON.parse(body.toString()) as { RootFS: { Layers: string[] } }).RootFS.Layers.length,
      }),
      build("t=pb:1&rm=1", 'FROM scratch\nENV p=" 1 2 "\nEXPOSE $p $q 1.2.3.4:5:6/udp\n'),
      config("pb:1"),
      build(`t=pb:1&rm=1&labels=${json({ a: "1", b: "2 3" })}`, FROM),
      config("pb:1"),
      del("/images/pb:1", { bodyless: true }),
    ],
  },
  {
    name: "stages, arguments and commands that fail",
    noEvents: true,
    steps: [
      build(
        "t=pb:1&rm=1&target=one",
        `FROM ${IMAGE} AS one\nRUN echo wrote one\nFROM one\nRUN echo wrote two\n`,
      ),
      build(
        `t=pb:1&rm=1&buildargs=${json({ A: "given", HTTP_PROXY: "wrote proxy" })}`,
        `ARG V=1\nFROM cais-peer:$V\nARG A\nRUN echo wrote $A $HTTP_PROXY\n`,
      ),
      build("rm=1&forcerm=1", `${FROM}RUN exit 3\n`),
      build("rm=1", ""),
      build("rm=1", "# nothing\n"),
      build("rm=1", "NOPE x\n"),
      build("t=Bad", FROM),
      del("/images/pb:1", { bodyless: true }),
    ],
  },
];
