import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { CAIS, command } from "../support/cais.ts";
import { startEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { freePort } from "../support/port.ts";
import { needs, program, root } from "../support/skip.ts";

const home = mkdtempSync(join(tmpdir(), "cais-listen-"));
after(() => rmSync(home, { recursive: true }));

/** An engine on addresses of its own; what it said ends in `log`. */
interface Served extends AsyncDisposable {
  readonly log: () => string;
}

let count = 0;
async function serve(args: readonly string[], wrap: readonly string[] = []): Promise<Served> {
  const directory = join(home, `e${count++}`);
  const words = [
    ...wrap,
    CAIS,
    "--root",
    join(directory, "root"),
    "--run",
    join(directory, "run"),
    "serve",
    ...args,
  ];
  const child: ChildProcess = spawn(words[0]!, words.slice(1), {
    env: { ...process.env, CAIS_READY_FD: "9", HOME: home },
    stdio: ["ignore", "pipe", "pipe", ...Array(6).fill("ignore"), "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
  const ended = once(child, "close").then(([code]) => {
    throw new Error(`ended with ${code}: ${said}`);
  });
  ended.catch(() => {});
  await Promise.race([once((child.stdio as readonly unknown[])[9] as Readable, "data"), ended]);
  return {
    log: () => said,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended.catch(() => {});
    },
  };
}

const get = (options: http.RequestOptions): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const sent = http.request(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end();
  });

/** A CA and certificates for `localhost` and a client, in Docker's layout. */
function certificates(): string {
  const folder = join(home, "certs");
  mkdirSync(folder);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2");
  for (const name of ["server", "client"]) {
    openssl("req", ...key, "-keyout", `${name}-key.pem`, "-out", "req.pem", "-subj", `/CN=${name}`);
    writeFileSync(join(folder, "ext"), `subjectAltName=DNS:localhost\nextendedKeyUsage=${name}Auth\n`);
    const sign = [
      "-CA",
      "ca.pem",
      "-CAkey",
      "ca-key.pem",
      "-CAcreateserial",
      "-days",
      "2",
      "-extfile",
      "ext",
    ];
    openssl("x509", "-req", "-in", "req.pem", "-out", `${name}.pem`, ...sign);
  }
  renameSync(join(folder, "client.pem"), join(folder, "cert.pem"));
  renameSync(join(folder, "client-key.pem"), join(folder, "key.pem"));
  return folder;
}

describe("TCP with mutual TLS", needs(root(), busyboxMissing(), program("openssl")), () => {
  let certs: string;
  let engine: Served;
  let host: string;
  const at = (file: string): string => join(certs, file);
  const client = () => [
    "--tlsverify",
    "--tlscacert",
    at("ca.pem"),
    "--tlscert",
    at("cert.pem"),
    "--tlskey",
    at("key.pem"),
  ];
  const env = { ...process.env, CAIS_HOST: "", DOCKER_HOST: "", HOME: home };

  before(async () => {
    certs = certificates();
    const port = await freePort();
    host = `tcp://localhost:${port}`;
    const keys = [
      "--tlscacert",
      at("ca.pem"),
      "--tlscert",
      at("server.pem"),
      "--tlskey",
      at("server-key.pem"),
    ];
    engine = await serve(["-H", `tcp://127.0.0.1:${port}`, "--tlsverify", ...keys]);
    const { code, stderr } = await command(CAIS, [...client(), "-H", host, "import", busyboxTar(), "bb"], {
      env,
    });
    assert.equal(code, 0, stderr);
  });
  after(() => engine?.[Symbol.asyncDispose]());

  const docker = program("docker", "docker.io") === undefined ? ["docker"] : [];
  for (const name of ["cais", ...docker]) {
    test(`${name}: megabytes to a container and back, with its half close`, async () => {
      const input = randomBytes(2 << 20).toString("hex");
      const args = [...client(), "-H", host, "run", "--rm", "-i", "--network", "none", "bb", "cat"];
      const { code, stdout, stderr } = await command(name === "cais" ? CAIS : name, args, { env, input });
      assert.equal(code, 0, stderr);
      assert.ok(stdout === input);
    });
  }

  test("the environment says it as well", async () => {
    const told = { ...env, DOCKER_HOST: host, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certs };
    const { code, stderr } = await command(CAIS, ["ps"], { env: told });
    assert.equal(code, 0, stderr);
  });

  test("nobody gets in without a certificate, and nobody else is believed", async () => {
    const without = await command(CAIS, ["--tls", "-H", host, "ps"], { env });
    assert.notEqual(without.code, 0);
    assert.equal(without.stdout, "");
    const plain = await command(CAIS, ["-H", host, "ps"], { env });
    assert.notEqual(plain.code, 0);
    const unknown = await command(CAIS, ["--tlsverify", "-H", host, "ps"], { env });
    assert.match(unknown.stderr, /CERT/);
    // The certificate is for localhost.
    const other = await command(CAIS, [...client(), "-H", host.replace("localhost", "127.0.0.1"), "ps"], {
      env,
    });
    assert.match(other.stderr, /ALTNAME/);
    assert.equal((await command(CAIS, [...client(), "-H", host, "ps"], { env })).code, 0);
  });
});

describe("where the engine listens", needs(root()), () => {
  for (const [args, why] of [
    [["-H", "tcp://127.0.0.1:45671"], /without TLS.*--tlsverify/],
    [
      ["-H", "tcp://127.0.0.1:45671", "--tlsverify", "--tlscert", "/nope"],
      /invalid TLS configuration.*\/nope/,
    ],
    [["-H", "fd://"], /no sockets found via socket activation/],
    [["-H", "foo://x"], /write unix:\/\/\/path, tcp:\/\/host:port or fd:\/\//],
    [["-H", "tcp://127.0.0.1:99999", "--tls=false"], /99999 is no port/],
    [["--group", "nonesuch"], /nonesuch/],
  ] as const) {
    test(`refused: serve ${args.join(" ")}`, async () => {
      await assert.rejects(serve(args), why);
    });
  }

  test("several addresses, plain TCP with a warning, the group, mode 0660", async () => {
    const [one, two] = [join(home, "one.sock"), join(home, "two.sock")];
    const port = await freePort();
    const hosts = [`unix://${one}`, two, `tcp://127.0.0.1:${port}`].flatMap((host) => ["-H", host]);
    await using engine = await serve([...hosts, "--tls=false", "--group", "12345"]);
    for (const where of [{ socketPath: one }, { socketPath: two }, { port, host: "127.0.0.1" }])
      assert.deepEqual(await get({ ...where, path: "/_ping" }), { status: 200, text: "OK" });
    const { mode, gid } = statSync(one);
    assert.deepEqual([mode & 0o777, gid], [0o660, 12345]);
    const warning = /WARNING: tcp:\/\/127\.0\.0\.1:\d+ is served without encryption/;
    assert.match(engine.log(), warning);
    const { text } = await get({ socketPath: one, path: "/info" });
    assert.match(JSON.stringify((JSON.parse(text) as { Warnings: string[] }).Warnings), warning);
  });
});

/** Listens, and becomes the program with the sockets as descriptors 3 and 4, as systemd does it. */
const ACTIVATE = `
import os, socket, sys
unix = socket.socket(socket.AF_UNIX); unix.bind(sys.argv[1]); unix.listen()
tcp = socket.socket(); tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); tcp.bind(("127.0.0.1", int(sys.argv[2]))); tcp.listen()
os.dup2(unix.fileno(), 20); os.dup2(tcp.fileno(), 21)
os.dup2(20, 3); os.dup2(21, 4)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="api:other")
os.execv(sys.argv[3], sys.argv[3:])
`;

test("sockets that systemd has opened", needs(root(), program("python3")), async () => {
  const path = join(home, "activated.sock");
  const port = await freePort();
  const wrap = ["python3", "-c", ACTIVATE, path, String(port)];
  {
    await using _ = await serve(["-H", "fd://"], wrap);
    for (const where of [{ socketPath: path }, { port, host: "127.0.0.1" }])
      assert.equal((await get({ ...where, path: "/_ping" })).text, "OK");
  }
  // systemd's own: it stays when the engine goes.
  assert.ok(statSync(path).isSocket());
  rmSync(path);
  await using _ = await serve(["-H", "fd://api"], wrap);
  assert.equal((await get({ socketPath: path, path: "/_ping" })).text, "OK");
  await assert.rejects(
    serve(["-H", "fd://what"], ["python3", "-c", ACTIVATE, join(home, "x"), String(await freePort())]),
    /no socket 'what'.*api, other/,
  );
});

test("an address for looking only", needs(root(), busyboxMissing()), async () => {
  const path = join(home, "looking.sock");
  await using engine = await startEngine(["--read-only-api", path]);
  await engine.ok(["import", busyboxTar(), "bb"]);
  await engine.ok([
    "run",
    "-d",
    "--name",
    "web",
    "--network",
    "none",
    "bb",
    "sh",
    "-c",
    "echo hi; sleep 1000",
  ]);
  const ask = (method: string, it: string) => get({ socketPath: path, method, path: it });
  for (const it of [
    "/_ping",
    "/v1.51/containers/json",
    "/containers/web/json",
    "/containers/web/top",
    "/info",
    "/containers/web/logs?stdout=1",
    "/images/json",
    "/containers/web/stats?stream=0",
  ])
    assert.equal((await ask("GET", it)).status, 200, it);
  for (const [method, it] of [
    ["POST", "/containers/web/stop"],
    ["DELETE", "/v1.51/containers/web"],
    ["PUT", "/containers/web/archive?path=/"],
    ["POST", "/containers/web/attach"],
    ["POST", "/build"],
    ["OPTIONS", "/_ping"],
    ["GET", "/containers/web/archive?path=/"],
    ["HEAD", "/containers/web/archive?path=/"],
    ["GET", "/v1.44/containers/web/export"],
    ["GET", "/containers/web/alias/archive?path=/"],
    ["GET", "/containers/web%2Falias/export"],
    ["GET", "/containers/web/attach/ws?stream=1"],
    ["GET", "/images/get?names=bb"],
    ["GET", "/images/bb/get"],
    ["GET", "/containers/web/%61rchive?path=/"],
    ["HEAD", "/containers/web/arch%69ve?path=/"],
    ["GET", "/%63ontainers/web/export"],
    ["GET", "/containers/web%2Fexport"],
    ["GET", "/v1.44%2fcontainers/web/ex%70ort"],
    ["GET", "/containers/web/attach%2Fws?stream=1"],
    ["GET", "/images/%67et?names=bb"],
  ] as const) {
    const { status, text } = await ask(method, it);
    assert.equal(status, 403, `${method} ${it}`);
    if (method !== "HEAD")
      assert.match((JSON.parse(text) as { message: string }).message, /not allowed here/);
  }
  assert.equal(await engine.ok(["inspect", "-f", "{{.State.Status}}", "web"]), "running");
});
