import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CAIS } from "../support/cais.ts";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { namespacesOf } from "../support/process.ts";
import { needs, root } from "../support/skip.ts";

/** Every option of `run` that says how a container is isolated, and what is seen of it from inside. */
const can = needs(root(), busyboxMissing());
const NONE = ["--network", "none"] as const;
/** Files of the machine that containers get; writable by a container whose root is nobody in particular. */
const home = mkdtempSync(join(tmpdir(), "cais-options-"));
let engine: TestEngine;

before(async () => {
  if (can.skip !== undefined) return;
  chmodSync(home, 0o755);
  mkdirSync(join(home, "share"));
  writeFileSync(join(home, "share/file"), "shared\n");
  writeFileSync(join(home, "environment"), "# a comment\nFROM_FILE=one two\nEMPTY=\n");
  const denied = { names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 95 };
  const profile = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [denied] };
  writeFileSync(join(home, "profile.json"), JSON.stringify(profile));
  engine = await startEngine([], CAIS, undefined, "machine");
  await engine.ok(["import", "-c", "ENV IMAGE=there", busyboxTar(), "busybox"]);
  await engine.ok([
    "run",
    "-d",
    ...NONE,
    "--name",
    "donor",
    "--hostname",
    "donor",
    "busybox",
    "sleep",
    "1000",
  ]);
});
after(async () => {
  await engine?.[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

/** Options, a line for the container's shell, and what the shell writes. */
type Observation = readonly [options: readonly string[], script: string, seen: string | RegExp];

const CAPABILITIES = "sed -n 's/^CapEff:\t//p' /proc/self/status";
const onDisk = (options: string) => `awk '$2 == "/mnt" { print $4 }' /proc/mounts | grep -cw ${options}`;

const observations: readonly Observation[] = [
  // Without a network there is no address to write beside it, as in Docker.
  [["--hostname", "quay"], "hostname; cat /etc/hostname; grep quay /etc/hosts || true", "quay\nquay"],
  [[], "test -f /.dockerenv && readlink /etc/mtab; df / | wc -l", "/proc/mounts\n2"],
  [["--domainname", "example.org"], "cat /proc/sys/kernel/domainname", "example.org"],
  [["--add-host", "db:10.1.2.3"], "grep db /etc/hosts", /^10\.1\.2\.3\s+db$/],
  [
    ["--dns", "9.9.9.9", "--dns-search", "example.org", "--dns-option", "ndots:2"],
    "grep -v '^#' /etc/resolv.conf",
    /^(?=.*nameserver 9\.9\.9\.9)(?=.*search example\.org)(?=.*options ndots:2)/s,
  ],

  [["--read-only"], "touch /new 2>&1; touch /dev/shm/new && echo shm", /Read-only file system\nshm$/],
  [["--tmpfs", "/mnt:size=1m,mode=700"], "df -k /mnt | awk 'NR==2{print $2}'; stat -c %a /mnt", "1024\n700"],
  [["--read-only", "--tmpfs", "/tmp"], "echo x > /tmp/new && cat /tmp/new", "x"],
  [["--tmpfs", "/mnt"], onDisk("noexec"), "1"],
  [["-v", `${home}/share:/mnt`], "echo new > /mnt/new; cat /mnt/file /mnt/new; rm /mnt/new", "shared\nnew"],
  [
    ["-v", `${home}/share:/mnt:ro`],
    "cat /mnt/file; touch /mnt/new 2>&1",
    /^shared\n.*Read-only file system$/,
  ],
  [
    ["-v", `${home}/share/file:/etc/one:ro`],
    "cat /etc/one; echo x 2>&1 > /etc/one || echo no",
    /^shared\n.*no$/s,
  ],
  [
    ["--mount", `type=bind,src=${home}/share,dst=/mnt,readonly`],
    "cat /mnt/file; rm /mnt/file 2>&1",
    /Read-only/,
  ],
  [["--mount", "type=tmpfs,dst=/mnt,tmpfs-size=2097152"], "df -k /mnt | awk 'NR==2{print $2}'", "2048"],
  [["--mount", "type=volume,src=data,dst=/mnt"], "echo kept > /mnt/note; cat /mnt/note", "kept"],
  [["-v", "data:/mnt:ro"], "cat /mnt/note; touch /mnt/new 2>&1", /^kept\n.*Read-only/],
  // An empty volume gets what the image has at its place, owners and modes included.
  [["-v", "copied:/etc"], "grep -c www /etc/passwd", "1"],
  [["-v", "copied:/mnt"], "grep -c www /mnt/passwd", "1"],
  [["-v", "modes:/root"], "stat -c %a /root", "700"],
  [["-v", "nocopy:/etc/x:nocopy"], "ls /etc/x | wc -l", "0"],
  [["--volumes-from", "donor"], "echo ran", "ran"],

  [["-u", "www"], "id -u; id -g; id -nG", "1000\n1000\nwww audio"],
  [["-u", "www:audio"], "id -u; id -g", "1000\n29"],
  [["-u", "4711:4712"], "id -u; id -g; id -G", "4711\n4712\n4712"],
  [["-u", "www"], "echo $HOME; touch /root/x 2>&1", /^\/home\n.*Permission denied$/],
  [["--group-add", "audio", "--group-add", "4000"], "id -G", /(?=.*\b29\b)(?=.*\b4000\b)/],

  [[], CAPABILITIES, "00000000a80425fb"],
  [["--cap-drop", "ALL"], CAPABILITIES, "0000000000000000"],
  [["--cap-drop", "all", "--cap-add", "CAP_NET_BIND_SERVICE"], CAPABILITIES, "0000000000000400"],
  [["--cap-add", "SYS_TIME"], CAPABILITIES, "00000000aa0425fb"],
  [["-u", "www"], CAPABILITIES, "0000000000000000"],
  [["--cap-drop", "CHOWN"], "touch /x; chown www /x 2>&1", /Operation not permitted/],
  [
    ["--privileged"],
    "mount -t tmpfs x /var && echo mounted; ls /dev/kmsg; awk '$2 == \"/sys\" { print $4 }' /proc/mounts",
    /^mounted\n\/dev\/kmsg\nrw/,
  ],
  [["--privileged"], "sed -n 's/^Seccomp:\t//p' /proc/self/status", "0"],

  [[], "grep NoNewPrivs /proc/self/status", /\t0$/],
  [["--security-opt", "no-new-privileges"], "grep NoNewPrivs /proc/self/status", /\t1$/],
  [[], "sed -n 's/^Seccomp:\t//p' /proc/self/status", "2"],
  [[], "unshare -U true 2>&1; unshare -u true 2>&1", /not permitted\n.*not permitted/],
  [["--security-opt", "seccomp=unconfined"], "sed -n 's/^Seccomp:\t//p' /proc/self/status", "0"],
  [["--security-opt", "seccomp=unconfined"], "unshare -Ur id -u", "0"],
  [
    ["--security-opt", `seccomp=${home}/profile.json`],
    "mkdir /x 2>&1; touch /y && echo y",
    /not supported\ny$/,
  ],
  [["--security-opt", "systempaths=unconfined"], "grep -c ' /proc/' /proc/mounts", "0"],
  [[], "grep -c ' /proc/' /proc/mounts | grep -qv '^0$'; echo $?; head -c1 /proc/kcore | wc -c", "0\n0"],
  [[], "echo 1 2>&1 > /proc/sys/kernel/panic || echo refused", /Read-only file system\nrefused$/],

  [["--ulimit", "nofile=64:128"], "ulimit -Sn; ulimit -Hn", "64\n128"],
  [
    ["--ulimit", "core=0", "--ulimit", "nproc=100"],
    "ulimit -c; awk '/processes/ { print $3 }' /proc/self/limits",
    "0\n100",
  ],
  [["--sysctl", "net.ipv4.ip_forward=1"], "cat /proc/sys/net/ipv4/ip_forward", "1"],
  [["--sysctl", "kernel.msgmax=4096"], "cat /proc/sys/kernel/msgmax", "4096"],
  [["--oom-score-adj", "321"], "cat /proc/1/oom_score_adj", "321"],
  [["--shm-size", "3m"], "df -k /dev/shm | awk 'NR==2{print $2}'", "3072"],
  [[], "df -k /dev/shm | awk 'NR==2{print $2}'", "65536"],

  [[], "echo $$; ps -o pid= | head -1 | tr -d ' '", "1\n1"],
  // With an init the shell is its child; the init reaps what is orphaned.
  [["--init"], "[ $$ -gt 1 ] && (sleep 0.01 &) ; sleep 0.1; ps -o stat= | grep -c Z", "0"],

  [
    ["--device", "/dev/fuse"],
    "stat -c %F /dev/fuse; head -c0 /dev/fuse && echo opened",
    /character.*\nopened/,
  ],
  [
    ["--device", "/dev/fuse:/dev/other:r"],
    "head -c0 /dev/other && echo read; echo x 2>&1 > /dev/other",
    /^read\n.*not permitted/,
  ],
  [
    [],
    "ls /dev | tr '\\n' ' '",
    // As runc: the link is there where the kernel has what it leads to.
    `${existsSync("/proc/kcore") ? "core " : ""}fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero `,
  ],
  [["--cap-add", "MKNOD"], "mknod /x b 7 0 && head -c1 /x 2>&1", /not permitted/],

  [["-e", "A=b c", "-e", "EMPTY="], 'echo "$A:$EMPTY:$IMAGE"', "b c::there"],
  [["--env-file", join(home, "environment"), "-e", "MORE=1"], 'echo "$FROM_FILE:$EMPTY:$MORE"', "one two::1"],
  [[], "env | sed 's/=.*//' | sort | tr '\\n' ' '", /^HOME HOSTNAME IMAGE (PWD )?PATH (PWD )?(SHLVL )?$/],
  [["-w", "/var/log"], "pwd", "/var/log"],
  [["-w", "/made/for/it"], "pwd; stat -c %u /made/for/it", "/made/for/it\n0"],

  [["--pid", "host"], "readlink /proc/self/ns/pid", namespacesOf("self").pid ?? ""],
  [["--uts", "host"], "readlink /proc/self/ns/uts; hostname", `${namespacesOf("self").uts}\n${hostname()}`],
  [["--ipc", "host"], "readlink /proc/self/ns/ipc", namespacesOf("self").ipc ?? ""],
  [["--cgroupns", "host"], "readlink /proc/self/ns/cgroup", namespacesOf("self").cgroup ?? ""],
  [["--network", "host"], "readlink /proc/self/ns/net", namespacesOf("self").net ?? ""],
  [["--pid", "container:donor"], "ps -o pid=,comm= | grep -c '1 sleep'", "1"],
  [["--network", "container:donor"], "ls /sys/class/net; hostname", "lo\ndonor"],
  [[], "ls /sys/class/net; ping -c1 -W1 127.0.0.1 | grep -c ' 0% packet loss'", "lo\n1"],

  [["--userns", "uid=0:100000:65536"], "cat /proc/self/uid_map | tr -s ' '; id -u", " 0 100000 65536\n0"],
  [
    ["--userns", "uid=0:100000:1000,gid=0:200000:2000"],
    "cat /proc/self/gid_map | tr -s ' '",
    " 0 200000 2000",
  ],
  [
    ["--userns", "uid=0:100000:65536", "--read-only", "--tmpfs", "/tmp"],
    "touch /tmp/x && stat -c %u /tmp/x",
    "0",
  ],
  [
    ["--userns", "uid=0:100000:65536", "-v", `${home}/share:/mnt:ro`],
    "cat /mnt/file; stat -c %u /mnt/file",
    "shared\n65534",
  ],
  // What is the engine's belongs to the container's root; on the disk the ids are the container's.
  [
    ["--userns", "uid=0:100000:65536", "-v", "mapped:/mnt"],
    "touch /mnt/x; chown www /mnt/x; stat -c %u /mnt /mnt/x; echo '1.2.3.4 db' >> /etc/hosts; tail -n1 /etc/hosts",
    "0\n1000\n1.2.3.4 db",
  ],
  [["-v", "mapped:/mnt"], "stat -c %u /mnt /mnt/x", "0\n1000"],
  [["--userns", "uid=0:100000:65536", "-u", "www"], "id -u; touch /x 2>&1", /^1000\n.*Permission denied/],
  [["--time-offset", "boottime=864000"], "cut -d. -f1 /proc/uptime | awk '{ print ($1 > 864000) }'", "1"],
  [
    ["--time-offset", "864000"],
    "tr -s ' ' < /proc/self/timens_offsets",
    /monotonic 864000 0\nboottime 864000 0/,
  ],
];

for (const [options, script, seen] of observations) {
  const words = options.join(" ").replaceAll(home, "…");
  test(`run ${words}: ${script}`, can, async () => {
    const network = options.includes("--network") ? [] : NONE;
    // What the script's last command ends with is not of interest, what it writes is.
    const ended = await engine.cais([
      "run",
      "--rm",
      ...network,
      ...options,
      "busybox",
      "sh",
      "-c",
      `${script}; true`,
    ]);
    assert.equal(ended.code, 0, ended.stderr);
    const written = ended.stdout.replace(/\n$/, "");
    if (typeof seen === "string") assert.equal(written, seen);
    else assert.match(written, seen);
  });
}

test("--entrypoint takes the place of the image's, and of its command", can, async () => {
  await engine.ok([
    "import",
    "-c",
    'ENTRYPOINT ["echo","image"]',
    "-c",
    'CMD ["said"]',
    busyboxTar(),
    "speaking",
  ]);
  const run = (...words: readonly string[]) => engine.ok(["run", "--rm", ...NONE, ...words]);
  assert.equal(await run("speaking"), "image said");
  assert.equal(await run("speaking", "more"), "image more");
  assert.equal(await run("--entrypoint", "hostname", "--hostname", "quay", "speaking"), "quay");
  assert.equal(await run("--entrypoint", "", "speaking", "echo", "bare"), "bare");
});

test("--label, --cidfile and --name are what inspect and ps tell", can, async () => {
  const file = join(home, "id");
  const id = await engine.ok([
    ...["create", "--name", "labelled", "--label", "a=b", "--label", "bare", "--cidfile", file],
    ...["busybox", "true"],
  ]);
  assert.equal(readFileSync(file, "utf8"), id);
  assert.equal(
    await engine.ok(["inspect", "-f", "{{json .Config.Labels}}", "labelled"]),
    '{"a":"b","bare":""}',
  );
  assert.equal(await engine.ok(["ps", "-aq", "--no-trunc", "--filter", "label=a=b"]), id);
  await engine.ok(["rm", "labelled"]);
});

test("--ipc, --pid and --uts container: join another's", can, async () => {
  const donor = ["--name", "sharing", "--ipc", "shareable", "--hostname", "shared"];
  await engine.ok(["run", "-d", ...NONE, ...donor, "busybox", "sleep", "1000"]);
  for (const kind of ["ipc", "pid", "uts"]) {
    const link = ["readlink", `/proc/self/ns/${kind}`];
    const joined = ["run", "--rm", ...NONE, `--${kind}`, "container:sharing", "busybox"];
    assert.equal(await engine.ok([...joined, ...link]), await engine.ok(["exec", "sharing", ...link]), kind);
  }
  const named = ["run", "--rm", ...NONE, "--uts", "container:sharing", "busybox", "hostname"];
  assert.equal(await engine.ok(named), "shared");
  await engine.ok(["rm", "-f", "sharing"]);
});

/** What cannot be: Docker's exit code, and one sentence that names it. */
const refusals: readonly (readonly [options: readonly string[], sentence: RegExp, code?: number])[] = [
  [["-u", "stranger"], /stranger/],
  [["--group-add", "strangers"], /strangers/],
  [["--cap-add", "NOT_ONE"], /NOT_ONE/i],
  [["--security-opt", "seccomp=/no/such/profile"], /\/no\/such\/profile/],
  [["--security-opt", "nonsense=1"], /nonsense/],
  [["--ulimit", "nofile=10:5"], /soft|hard/],
  [["--ulimit", "nonsense=5"], /nonsense/],
  [["--sysctl", "kernel.panic=1"], /kernel\.panic/],
  [["--oom-score-adj", "2000"], /2000|oom/i],
  // Docker's client reads 127 from the words "no such file or directory".
  [["--device", "/dev/no-such-device"], /\/dev\/no-such-device/, 127],
  [["--env-file", "/no/such/file"], /\/no\/such\/file/],
  [["-v", "relative/path:/mnt"], /relative\/path/],
  [["-v", "/tmp:relative"], /relative/],
  [["--mount", "type=nonsense,dst=/mnt"], /nonsense/],
  [["--pid", "container:nobody"], /nobody/],
  [["--userns", "uid=0:1:0"], /at least one id/],
  [["--time-offset", "later"], /later/],
  [["--cpus", "99999"], /CPUs/i],
  [["--cpuset-cpus", "4096"], /4096/],
  [["--memory", "1k"], /minimum memory|6 ?MB/i],
  [["--memory", "64m", "--memory-swap", "32m"], /memory.?swap/i],
  [["--hostname", "-", "--uts", "host"], /hostname/i],
  [["-w", "relative"], /relative/],
  [["--restart", "sometimes"], /sometimes/],
  [["--restart", "always", "--rm"], /--rm/],
];
for (const [options, sentence, exitCode = 125] of refusals) {
  test(`run ${options.join(" ")} is refused`, can, async () => {
    const before = await engine.ok(["ps", "-aq"]);
    // What is found out at the start leaves a created container, unless it is to be removed.
    const removed = options.includes("--restart") ? [] : ["--rm"];
    const { code, stdout, stderr } = await engine.cais([
      "run",
      ...removed,
      ...NONE,
      ...options,
      "busybox",
      "true",
    ]);
    assert.equal(code, exitCode, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, sentence);
    assert.doesNotMatch(stderr, /^\s+at /m, "a stack trace");
    assert.equal(await engine.ok(["ps", "-aq"]), before, "nothing half-made is left");
  });
}
