// dockerode, as its documentation uses it; prints what it saw.
const { createRequire } = require("node:module");
const { PassThrough } = require("node:stream");
const Docker = createRequire(`${process.env.CLIENTS}/package.json`)("dockerode");

async function text(stream) {
  let all = "";
  for await (const chunk of stream) all += chunk;
  return all;
}

async function main() {
  const docker = new Docker({ socketPath: process.env.SOCKET });
  const image = process.env.IMAGE;
  const seen = {};
  seen.ping = (await docker.ping()).toString();
  const events = await docker.getEvents({ filters: { type: ["container"] } });
  const told = [];
  const ended = new Promise((resolve) => {
    events.on("data", (chunk) => {
      for (const line of chunk.toString().trim().split("\n")) told.push(JSON.parse(line).Action);
      if (told.includes("destroy")) resolve();
    });
  });

  const output = new PassThrough();
  const whole = text(output);
  const [{ StatusCode }, container] = await docker.run(image, ["sh", "-c", "echo from run; exit 3"], output, {
    name: "rode-run",
    HostConfig: { NetworkMode: "none" },
  });
  output.end();
  seen.run = [StatusCode, (await whole).trim()];
  await container.remove();

  const second = await docker.createContainer({
    Image: image,
    name: "rode",
    Cmd: ["cat"],
    OpenStdin: true,
    StdinOnce: true,
    Labels: { by: "dockerode" },
    HostConfig: { NetworkMode: "none" },
  });
  // Both forms: with an upgrade, and the raw 200 that dockerode uses unless told otherwise.
  const attached = await second.attach({
    stream: true,
    stdin: true,
    stdout: true,
    stderr: true,
    hijack: true,
  });
  const [out, err] = [new PassThrough(), new PassThrough()];
  second.modem.demuxStream(attached, out, err);
  const said = text(out);
  attached.on("end", () => out.end());
  await second.start();
  attached.write("through the connection\n");
  attached.end();
  seen.wait = await second.wait();
  seen.attach = await said;
  seen.logs = (await second.logs({ stdout: true, follow: false })).toString("latin1");
  seen.list = (await docker.listContainers({ all: true, filters: { label: ["by=dockerode"] } })).length;
  await second.remove();

  const third = await docker.createContainer({
    Image: image,
    Cmd: ["sleep", "100"],
    HostConfig: { NetworkMode: "none", AutoRemove: true },
  });
  await third.start();
  const exec = await third.exec({
    Cmd: ["sh", "-c", "echo in; echo bad >&2; exit 4"],
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await exec.start({ hijack: true, stdin: false });
  const [execOut, execErr] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, execOut, execErr);
  const both = Promise.all([text(execOut), text(execErr)]);
  await new Promise((resolve) => stream.on("end", resolve));
  execOut.end();
  execErr.end();
  seen.exec = [...(await both), (await exec.inspect()).ExitCode];
  seen.stats = Object.keys(await third.stats({ stream: false, "one-shot": true })).includes("cpu_stats");
  seen.top = (await third.top()).Processes.length;
  const archive = await third.getArchive({ path: "/etc/passwd" });
  seen.archive = (await text(archive)).includes("root:x:0:0");
  await third.stop({ t: 0 }).catch(() => undefined);

  seen.missing = await docker
    .getContainer("nobody")
    .inspect()
    .catch((error) => [error.statusCode, error.json.message]);
  const volume = await docker.createVolume({ Name: "rode-volume" });
  seen.volume = (await volume.inspect?.())?.Name ?? volume.name;
  await docker.getVolume("rode-volume").remove();
  await ended;
  events.destroy();
  seen.events = told.slice(0, 4);
  // The process ends only when this has been read: writing to a pipe is not awaited otherwise.
  await new Promise((resolve) => process.stdout.write(`${JSON.stringify(seen)}\n`, resolve));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
