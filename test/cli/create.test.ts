import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createRequest } from "../../src/cli/container/config.ts";
import { runFlags } from "../../src/cli/container/flags.ts";
import { parsePorts } from "../../src/cli/container/ports.ts";
import { parseFlags } from "../../src/cli/flags/parse.ts";

const directory = mkdtempSync(join(tmpdir(), "cais-create-"));
after(() => rmSync(directory, { recursive: true }));

function body(...words: string[]) {
  const { values, args } = parseFlags(runFlags, words, true);
  return createRequest(values, { image: args[0] ?? "", command: args.slice(1), detach: values.detach });
}

test("a plain run asks for nothing that was not asked for", () => {
  assert.deepEqual(body("img", "true"), {
    Image: "img",
    Tty: false,
    OpenStdin: false,
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    StdinOnce: false,
    Cmd: ["true"],
    HostConfig: { NetworkMode: "default", RestartPolicy: { Name: "no", MaximumRetryCount: 0 } },
  });
});

test("limits, mounts, devices and names arrive as the API has them", () => {
  const it = body(
    ..."--memory 48m --cpus 0.2 --pids-limit 5 --cpuset-cpus 0 -v /a:/b:ro -v anon:/v -v /only --tmpfs /t:size=1m".split(
      " ",
    ),
    ..."--mount type=bind,src=/x,dst=/y,ro,bind-propagation=rslave --device /dev/null:/dev/n:r -h host -u 1:2 -w /w".split(
      " ",
    ),
    ..."--ulimit nofile=10:20 --sysctl net.a=1 --cap-add NET_ADMIN --init --restart on-failure:3 --stop-timeout 0".split(
      " ",
    ),
    ..."--time-offset boottime=5 --shm-size 1m --read-only --add-host a:1.2.3.4 -e A=1 -l x --entrypoint sh".split(
      " ",
    ),
    "img",
  );
  assert.equal(it.HostConfig?.Memory, 50331648);
  assert.equal(it.HostConfig?.NanoCpus, 200_000_000);
  assert.deepEqual(it.HostConfig?.Binds, ["/a:/b:ro", "anon:/v"]);
  assert.deepEqual(it.Volumes, { "/only": {} });
  assert.deepEqual(it.HostConfig?.Tmpfs, { "/t": "size=1m" });
  assert.deepEqual(it.HostConfig?.Mounts, [
    { Type: "bind", Source: "/x", Target: "/y", ReadOnly: true, BindOptions: { Propagation: "rslave" } },
  ]);
  assert.deepEqual(it.HostConfig?.Devices, [
    { PathOnHost: "/dev/null", PathInContainer: "/dev/n", CgroupPermissions: "r" },
  ]);
  assert.deepEqual(it.HostConfig?.Annotations, { "cais.time.boottime": "5" });
  assert.deepEqual(it.HostConfig?.RestartPolicy, { Name: "on-failure", MaximumRetryCount: 3 });
  assert.deepEqual([it.Hostname, it.User, it.WorkingDir, it.StopTimeout], ["host", "1:2", "/w", 0]);
  assert.deepEqual([it.Env, it.Labels, it.Entrypoint], [["A=1"], { x: "" }, ["sh"]]);
});

test("other names of options, a volume said twice, and a limit of zero", () => {
  const it = body(
    ..."--dns-opt ndots:9 --dns-option timeout:3 --net shop --net-alias a --network-alias b".split(" "),
    ..."-v /a:/b -v /a:/b -v /v -v /v --memory-swappiness 0 img".split(" "),
  );
  assert.deepEqual(it.HostConfig?.DnsOptions, ["ndots:9", "timeout:3"]);
  assert.deepEqual(it.NetworkingConfig?.EndpointsConfig?.shop?.Aliases, ["a", "b"]);
  assert.deepEqual([it.HostConfig?.Binds, it.Volumes], [["/a:/b"], { "/v": {} }]);
  assert.equal(it.HostConfig?.MemorySwappiness, 0);
});

test("files are read here: environment, labels, seccomp profile", () => {
  const env = join(directory, "env");
  writeFileSync(env, "\uFEFF# comment\n\nA=1\n  B=two words\nCAIS_TEST_UNSET\n");
  const profile = join(directory, "seccomp.json");
  writeFileSync(profile, '{ "defaultAction":  "SCMP_ACT_ALLOW" }');
  const it = body("--env-file", env, "-e", "CAIS_TEST_UNSET", "--security-opt", `seccomp=${profile}`, "img");
  assert.deepEqual(it.Env, ["A=1", "B=two words", "CAIS_TEST_UNSET"]);
  assert.deepEqual(it.HostConfig?.SecurityOpt, ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']);
  assert.throws(() => body("--env-file", join(directory, "no"), "img"), /no such file or directory/);
  assert.throws(() => body("--security-opt", "seccomp=/no/such", "img"), /opening seccomp profile/);
});

test("ports, with ranges, addresses and protocols", () => {
  assert.deepEqual(
    parsePorts(["80", "8080:80/udp", "1.2.3.4:1:2", "[::1]:3:4", "5-6:7-8", "1.2.3.4::9"], ["20-21/udp"]),
    {
      exposed: {
        "80/tcp": {},
        "80/udp": {},
        "2/tcp": {},
        "4/tcp": {},
        "7/tcp": {},
        "8/tcp": {},
        "9/tcp": {},
        "20/udp": {},
        "21/udp": {},
      },
      bindings: {
        "80/tcp": [{ HostIp: "", HostPort: "" }],
        "80/udp": [{ HostIp: "", HostPort: "8080" }],
        "2/tcp": [{ HostIp: "1.2.3.4", HostPort: "1" }],
        "4/tcp": [{ HostIp: "::1", HostPort: "3" }],
        "7/tcp": [{ HostIp: "", HostPort: "5" }],
        "8/tcp": [{ HostIp: "", HostPort: "6" }],
        "9/tcp": [{ HostIp: "1.2.3.4", HostPort: "" }],
      },
    },
  );
  for (const wrong of ["x", "1:x", "x:1", "1-3:1-2", "65536", "80/foo", "2-1", ""])
    assert.throws(() => parsePorts([wrong], []), Error, wrong);
});

test("what contradicts itself is refused with 125", () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["--rm", "--restart", "always"], /both --restart and --rm/],
    [["--restart", "on-failure:x"], /maximum retry count must be an integer/],
    [["--no-healthcheck", "--health-cmd", "x"], /conflicts/],
    [["--network-alias", "a"], /user-defined networks/],
    [["--time-offset", "x=1"], /--time-offset/],
    [["-p", "99999"], /containerPort/],
    [["-v", ""], /invalid empty volume spec/],
    [["-v", ":/v"], /invalid spec: :\/v: empty section between colons/],
    [["-v", "/a:/b:ro:z"], /too many colons/],
    [["--mac-address", "92:d0:c6:0a:29"], /92:d0:c6:0a:29 is not a valid mac address/],
  ];
  for (const [words, message] of wrong)
    assert.throws(() => body(...words, "img"), { message, exitCode: 125 });
});
