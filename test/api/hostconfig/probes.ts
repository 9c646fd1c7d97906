import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync, readlinkSync, rmdirSync } from "node:fs";
import { ask } from "../peer/ask.ts";

/** What a probe works with. */
export interface Scene {
  readonly socket: string;
  /** Of the engine. */
  readonly pid: number;
  create(
    config: object,
    host: object,
  ): Promise<{
    readonly Id: string;
    readonly status: number;
    readonly message?: string;
    readonly Warnings?: readonly string[] | null;
  }>;
  /** Runs a container to its end; all that it wrote. */
  output(config: object, host: object): Promise<string>;
  remove(id: string): Promise<void>;
}

interface Probe {
  check(scene: Scene): Promise<void>;
}

const sh = (script: string): object => ({ Cmd: ["sh", "-c", script] });
/** A container with this host configuration writes, from this script, what matches. */
const host = (given: object, script: string, wanted: RegExp): Probe => ({
  check: async ({ output }) => assert.match(await output(sh(script), given), wanted),
});
const config = (given: object, wanted: RegExp): Probe => ({
  check: async ({ output }) => assert.match(await output(given, {}), wanted),
});
/** While it runs, a file of its cgroup (v1 or v2) says what matches; a kernel that has neither is no failure. */
const cgroup = (given: object, files: Readonly<Record<string, RegExp>>): Probe => ({
  async check({ socket, create, remove }) {
    const { Id, message } = await create({ Cmd: ["sleep", "100"] }, given);
    assert.notEqual(Id, "", message ?? "");
    const started = await ask(socket, { method: "POST", path: `/containers/${Id}/start` });
    if (started.status !== 204) {
      // The kernel's refusal is told, with the option.
      assert.match(started.body.toString(), /Cannot limit the container/);
      return remove(Id);
    }
    for (const [name, wanted] of Object.entries(files)) {
      for (const path of globSync(`/sys/fs/cgroup{,/*}/**/${Id}/${name}`)) {
        assert.match(readFileSync(path, "utf8"), wanted, path);
      }
    }
    await remove(Id);
  },
});
const disk =
  globSync("/sys/block/{vd,sd,nvme}*").map((path) => `/dev/${path.split("/").at(-1)}`)[0] ?? "/dev/loop0";
const number = existsSync(disk) ? readFileSync(`/sys/block/${disk.slice(5)}/dev`, "utf8").trim() : "7:0";
const throttle = (field: string, file: string): Probe =>
  cgroup(
    { [field]: [{ Path: disk, Rate: 1048576 }] },
    { [`blkio.throttle.${file}_device`]: new RegExp(`${number} 1048576`) },
  );
const MIB = 1 << 20;

/** For each field that works: a container that has it differs from one that has not. */
export const PROBES: Readonly<Record<string, Probe>> = {
  CpuShares: cgroup({ CpuShares: 512 }, { "cpu.shares": /^512$/m, "cpu.weight": /^\d+$/m }),
  Memory: cgroup(
    { Memory: 64 * MIB },
    { "memory.limit_in_bytes": /^67108864$/m, "memory.max": /^67108864$/m },
  ),
  NanoCpus: cgroup({ NanoCpus: 5e8 }, { "cpu.cfs_quota_us": /^50000$/m, "cpu.max": /^50000 100000$/m }),
  CgroupParent: {
    async check({ output }) {
      const given = { CgroupParent: "/cais-probe", CgroupnsMode: "host" };
      assert.match(await output(sh("cat /proc/self/cgroup"), given), /\/cais-probe\//);
      // It belongs to whoever asked for it: the engine leaves it, as Docker does.
      for (const path of globSync("/sys/fs/cgroup{,/*}/cais-probe")) await untilRemoved(path);
    },
  },
  BlkioWeight: {
    async check({ create, remove }) {
      const { Id, status, Warnings } = await create({}, { BlkioWeight: 500 });
      assert.equal(status, 201);
      const there = globSync("/sys/fs/cgroup{,/*}/*/{blkio.bfq.weight,io.bfq.weight}").length > 0;
      assert.ok(there || (Warnings ?? []).length === 1);
      await remove(Id);
    },
  },
  BlkioWeightDevice: cgroup(
    { BlkioWeightDevice: [{ Path: disk, Weight: 100 }] },
    { "blkio.bfq.weight_device": new RegExp(`${number} 100`) },
  ),
  BlkioDeviceReadBps: throttle("BlkioDeviceReadBps", "read_bps"),
  BlkioDeviceWriteBps: throttle("BlkioDeviceWriteBps", "write_bps"),
  BlkioDeviceReadIOps: throttle("BlkioDeviceReadIOps", "read_iops"),
  BlkioDeviceWriteIOps: throttle("BlkioDeviceWriteIOps", "write_iops"),
  CpuPeriod: cgroup({ CpuPeriod: 50000 }, { "cpu.cfs_period_us": /^50000$/m, "cpu.max": / 50000$/m }),
  CpuQuota: cgroup({ CpuQuota: 25000 }, { "cpu.cfs_quota_us": /^25000$/m, "cpu.max": /^25000 /m }),
  CpuRealtimePeriod: cgroup({ CpuRealtimePeriod: 1000000 }, { "cpu.rt_period_us": /^1000000$/m }),
  CpuRealtimeRuntime: cgroup({ CpuRealtimeRuntime: 1000 }, { "cpu.rt_runtime_us": /^1000$/m }),
  CpusetCpus: cgroup({ CpusetCpus: "0" }, { "cpuset.cpus": /^0$/m }),
  CpusetMems: cgroup({ CpusetMems: "0" }, { "cpuset.mems": /^0$/m }),
  Devices: host(
    { Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/nothing", CgroupPermissions: "rwm" }] },
    "ls -l /dev/nothing",
    /1, +3 .*nothing/,
  ),
  DeviceCgroupRules: host(
    { DeviceCgroupRules: ["c 7:* rwm"], CapAdd: ["MKNOD"] },
    "mknod /tmp/d c 7 1 && cat /tmp/d 2>&1; ls /tmp/d",
    /\/tmp\/d$/m,
  ),
  MemoryReservation: cgroup(
    { MemoryReservation: 32 * MIB },
    { "memory.soft_limit_in_bytes": /^33554432$/m, "memory.low": /^33554432$/m },
  ),
  MemorySwap: cgroup(
    { Memory: 64 * MIB, MemorySwap: 96 * MIB },
    { "memory.memsw.limit_in_bytes": /^100663296$/m, "memory.swap.max": /^33554432$/m },
  ),
  MemorySwappiness: cgroup({ MemorySwappiness: 33 }, { "memory.swappiness": /^33$/m }),
  OomKillDisable: cgroup(
    { Memory: 64 * MIB, OomKillDisable: true },
    { "memory.oom_control": /oom_kill_disable 1/ },
  ),
  PidsLimit: cgroup({ PidsLimit: 44 }, { "pids.max": /^44$/m }),
  Ulimits: host({ Ulimits: [{ Name: "nofile", Soft: 55, Hard: 66 }] }, "ulimit -Sn; ulimit -Hn", /^55\n66$/m),
  Binds: host(
    { Binds: ["/etc/hostname:/bound:ro"] },
    "cat /bound; grep bound /proc/mounts",
    /\/bound .*\bro\b/,
  ),
  LogConfig: {
    async check({ create, socket, remove }) {
      const { Id } = await create({}, { LogConfig: { Type: "none" } });
      const { status } = await ask(socket, { method: "GET", path: `/containers/${Id}/logs?stdout=1` });
      assert.equal(status, 501);
      await remove(Id);
    },
  },
  NetworkMode: {
    // The engine may have a network of its own.
    check: async ({ output, pid }) =>
      assert.equal(
        (await output(sh("readlink /proc/self/ns/net"), { NetworkMode: "host" })).trim(),
        readlinkSync(`/proc/${pid}/ns/net`),
      ),
  },
  RestartPolicy: {
    async check({ create, socket, remove }) {
      const { Id } = await create(
        { Cmd: ["false"] },
        { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 1 } },
      );
      await ask(socket, { method: "POST", path: `/containers/${Id}/start` });
      const wait = () => ask(socket, { method: "POST", path: `/containers/${Id}/wait` });
      const inspect = async () => {
        const { body } = await ask(socket, { method: "GET", path: `/containers/${Id}/json` });
        return JSON.parse(body.toString()) as { RestartCount: number; State: { Status: string } };
      };
      // A wait ends with the run that it met.
      do await wait();
      while ((await inspect()).State.Status !== "exited");
      assert.equal((await inspect()).RestartCount, 1);
      await remove(Id);
    },
  },
  AutoRemove: {
    async check({ create, socket }) {
      const { Id } = await create({}, { AutoRemove: true });
      const waiting = ask(socket, { method: "POST", path: `/containers/${Id}/wait?condition=removed` });
      await ask(socket, { method: "POST", path: `/containers/${Id}/start` });
      await waiting;
      assert.equal((await ask(socket, { method: "GET", path: `/containers/${Id}/json` })).status, 404);
    },
  },
  VolumeDriver: {
    async check({ create, output }) {
      const refused = await create({}, { VolumeDriver: "nonsense", Binds: ["probe-volume:/v"] });
      assert.deepEqual([refused.status, /nonsense/.test(refused.message ?? "")], [404, true]);
      assert.match(
        await output({ ...sh("grep /v /proc/mounts"), Volumes: { "/v": {} } }, { VolumeDriver: "local" }),
        /\/v /,
      );
    },
  },
  ConsoleSize: {
    check: async ({ output }) =>
      assert.match(await output({ ...sh("stty size"), Tty: true }, { ConsoleSize: [33, 44] }), /^33 44/),
  },
  Annotations: {
    check: async ({ output }) => {
      const ahead = await output(sh("cat /proc/uptime"), {
        Annotations: { "cais.time.boottime": "500000000" },
      });
      assert.ok(Number.parseFloat(ahead) > 500000000);
    },
  },
  CapAdd: host({ CapAdd: ["SYS_ADMIN"] }, "grep CapBnd /proc/self/status", /a82425fb$/m),
  CapDrop: host({ CapDrop: ["ALL"] }, "grep CapBnd /proc/self/status", /:\s0+$/m),
  CgroupnsMode: host({ CgroupnsMode: "host" }, "readlink /proc/self/ns/cgroup", new RegExp(own("cgroup"))),
  Dns: host({ Dns: ["192.0.2.1"] }, "cat /etc/resolv.conf", /^nameserver 192\.0\.2\.1$/m),
  DnsOptions: host({ DnsOptions: ["ndots:3"] }, "cat /etc/resolv.conf", /^options ndots:3$/m),
  DnsSearch: host({ DnsSearch: ["example.org"] }, "cat /etc/resolv.conf", /^search example\.org$/m),
  ExtraHosts: host({ ExtraHosts: ["other:192.0.2.2"] }, "cat /etc/hosts", /^192\.0\.2\.2\s+other$/m),
  GroupAdd: host({ GroupAdd: ["29"] }, "id -G", /\b29\b/),
  IpcMode: host({ IpcMode: "host" }, "readlink /proc/self/ns/ipc", new RegExp(own("ipc"))),
  OomScoreAdj: host({ OomScoreAdj: 321 }, "cat /proc/self/oom_score_adj", /^321$/m),
  PidMode: host({ PidMode: "host" }, "readlink /proc/self/ns/pid", new RegExp(own("pid"))),
  Privileged: host(
    { Privileged: true },
    "grep Seccomp: /proc/self/status; mount -t tmpfs none /tmp && echo mounted",
    /:\s+0\nmounted/,
  ),
  ReadonlyRootfs: host({ ReadonlyRootfs: true }, "touch /x 2>&1", /[Rr]ead-only/),
  SecurityOpt: host({ SecurityOpt: ["no-new-privileges"] }, "grep NoNewPrivs /proc/self/status", /1$/m),
  Tmpfs: host({ Tmpfs: { "/t": "size=64k" } }, "grep ' /t ' /proc/mounts", /tmpfs.*size=64k/),
  UTSMode: host({ UTSMode: "host" }, "readlink /proc/self/ns/uts", new RegExp(own("uts"))),
  UsernsMode: host(
    { UsernsMode: "uid=0:200000:1000,gid=0:200000:1000" },
    "cat /proc/self/uid_map",
    /0 +200000 +1000/,
  ),
  ShmSize: host({ ShmSize: 128 * 1024 }, "grep /dev/shm /proc/mounts", /size=128k/),
  Sysctls: host(
    { Sysctls: { "net.ipv4.ip_default_ttl": "77" } },
    "cat /proc/sys/net/ipv4/ip_default_ttl",
    /^77$/m,
  ),
  Runtime: host({ Runtime: "runc" }, "echo runs", /runs/),
  Isolation: host({ Isolation: "default" }, "echo runs", /runs/),
  Mounts: host(
    { Mounts: [{ Type: "tmpfs", Target: "/m", TmpfsOptions: { SizeBytes: 65536 } }] },
    "grep ' /m ' /proc/mounts",
    /tmpfs.*size=64k/,
  ),
  MaskedPaths: host({ MaskedPaths: ["/etc/passwd"] }, "wc -c < /etc/passwd", /^0$/m),
  ReadonlyPaths: host({ ReadonlyPaths: ["/tmp"] }, "touch /tmp/x 2>&1", /[Rr]ead-only/),
  Init: host({ Init: true }, "sh -c 'echo $PPID'; echo pid $$", /pid (?!1$)\d+/m),

  Hostname: config({ ...sh("hostname"), Hostname: "probe" }, /^probe$/m),
  Domainname: config(
    { ...sh("cat /proc/sys/kernel/domainname"), Domainname: "example.org" },
    /^example\.org$/m,
  ),
  User: config({ ...sh("id -u; id -g"), User: "1000:29" }, /^1000\n29$/m),
  Tty: config({ ...sh("tty"), Tty: true }, /\/dev\//),
  Env: config({ ...sh("echo $PROBE"), Env: ["PROBE=value"] }, /^value$/m),
  Cmd: config({ Cmd: ["echo", "a command"] }, /^a command$/m),
  Image: config(sh("ls /bin/busybox"), /busybox/),
  Volumes: config({ ...sh("grep ' /v ' /proc/mounts"), Volumes: { "/v": {} } }, / \/v /),
  WorkingDir: config({ ...sh("pwd"), WorkingDir: "/var/log" }, /^\/var\/log$/m),
  Entrypoint: config({ Entrypoint: ["echo", "entry"], Cmd: ["point"] }, /^entry point$/m),
  NetworkDisabled: {
    check: async ({ output }) =>
      assert.match(
        await output({ ...sh("ls /sys/class/net"), NetworkDisabled: true }, { NetworkMode: "default" }),
        /^lo\n$/,
      ),
  },
  StopSignal: stopping({ StopSignal: "USR1" }, "trap 'exit 7' USR1; while :; do sleep 0.05; done", 7),
  StopTimeout: stopping({ StopTimeout: 0 }, "trap '' TERM; while :; do sleep 0.05; done", 137),
};

function stopping(given: object, script: string, code: number): Probe {
  return {
    async check({ create, socket, remove }) {
      const { Id } = await create({ ...sh(`echo up; ${script}`), ...given }, {});
      await ask(socket, { method: "POST", path: `/containers/${Id}/start` });
      // Its handler is set once it has spoken.
      const { body: first } = await ask(socket, { method: "GET", path: `/containers/${Id}/logs?stdout=1` });
      if (first.length === 0) await ask(socket, { method: "GET", path: `/containers/${Id}/stats?stream=0` });
      await ask(socket, { method: "POST", path: `/containers/${Id}/stop` });
      const { body } = await ask(socket, { method: "GET", path: `/containers/${Id}/json` });
      assert.equal((JSON.parse(body.toString()) as { State: { ExitCode: number } }).State.ExitCode, code);
      await remove(Id);
    },
  };
}

/** The inode of one of our own namespaces. */
function own(kind: string): string {
  return readlinkSync(`/proc/self/ns/${kind}`).replace(/[[\]]/g, "\\$&");
}

/** The container's own cgroup goes a moment after its end was told. */
async function untilRemoved(cgroup: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return rmdirSync(cgroup);
    } catch (error) {
      if (tries === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
