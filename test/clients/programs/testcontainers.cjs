// testcontainers: a PostgreSQL and a Redis, waited for, asked and stopped.
const { createRequire } = require("node:module");
const { connect } = require("node:net");
const { GenericContainer, Wait } = createRequire(`${process.env.CLIENTS}/package.json`)("testcontainers");

const BIN = "/usr/lib/postgresql/15/bin";

/** What a server answers at first. */
function said(host, port, words) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(words));
    socket.on("error", reject);
    socket.once("data", (chunk) => {
      socket.destroy();
      resolve(chunk.toString().trim());
    });
  });
}

async function main() {
  const image = process.env.IMAGE;
  const seen = {};
  const script = [
    `${BIN}/initdb -D /tmp/db -A trust -U postgres >/dev/null`,
    `exec ${BIN}/postgres -D /tmp/db -k /tmp -c listen_addresses= -c jit=off -c fsync=off`,
  ].join(" && ");
  const [postgres, redis] = await Promise.all([
    new GenericContainer(image)
      .withNetworkMode("none")
      .withUser("postgres")
      .withCommand(["sh", "-c", script])
      .withWaitStrategy(Wait.forLogMessage("database system is ready to accept connections"))
      .start(),
    new GenericContainer(image)
      .withNetworkMode("none")
      .withUser("redis")
      .withEntrypoint(["redis-server"])
      .withCommand(["--port", "0", "--unixsocket", "/tmp/redis.sock", "--save", "", "--dir", "/tmp"])
      .withWaitStrategy(Wait.forSuccessfulCommand("redis-cli -s /tmp/redis.sock ping"))
      .withCopyContentToContainer([{ content: "copied", target: "/tmp/copied" }])
      .start(),
  ]);
  const sql = "create table t (n int); insert into t select generate_series(1, 1000); select sum(n) from t";
  const asked = await postgres.exec(["psql", "-h", "/tmp", "-U", "postgres", "-tAqc", sql]);
  seen.postgres = [asked.exitCode, asked.output.trim()];
  const cli = (...words) => redis.exec(["redis-cli", "-s", "/tmp/redis.sock", ...words]);
  await cli("set", "key", "value");
  seen.redis = (await cli("get", "key")).output.trim();
  seen.copied = (await redis.exec(["cat", "/tmp/copied"])).output;
  await redis.restart();
  seen.restarted = (await cli("ping")).output.trim();
  const logs = await postgres.logs();
  let log = "";
  for await (const chunk of logs) {
    log += chunk;
    if (log.includes("ready to accept")) break;
  }
  seen.log = log.includes("ready to accept connections");
  // As most people use it: an exposed port, published on any free one and waited for.
  const published = await new GenericContainer(image)
    .withUser("redis")
    .withEntrypoint(["redis-server"])
    .withCommand(["--protected-mode", "no", "--save", "", "--dir", "/tmp"])
    .withExposedPorts(6379)
    .start();
  seen.published = await said(published.getHost(), published.getMappedPort(6379), "PING\r\n");
  await Promise.all([postgres.stop(), redis.stop(), published.stop()]);
  console.log(JSON.stringify(seen));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
