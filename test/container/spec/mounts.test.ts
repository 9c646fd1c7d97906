import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN } from "../../../src/container/spec/mountpoint.ts";
import type { ContainerConfig, HostConfig } from "../../../src/wire/container.ts";
import { specOf } from "./facts.ts";

/** What comes after the file systems of the kernel, one line each: `target < source (type) options`. */
function asked(host: HostConfig, config: ContainerConfig = {}, changed = {}): readonly string[] {
  const { spec } = specOf(host, config, { files: {}, ...changed });
  return (spec.mounts ?? [])
    .slice(7)
    .map(
      ({ destination, source, type, options }) =>
        `${destination} < ${source} (${type}) ${options?.join(",")}`,
    );
}

// The expectations are what dockerd 28.5 writes, in the order given where it has none.
test("-v: read-only, propagation, labels, named and anonymous volumes", () => {
  const host: HostConfig = {
    Binds: [
      "/src/a:/data:ro",
      "/src/b:/data/b:rw,rshared",
      "/src/f:/etc/f:z,cached",
      "named:/vol:nocopy",
      "/src/a:/a/b/../c/",
    ],
  };
  assert.deepEqual(asked(host, { Volumes: { "/just/anon": {} } }), [
    "/data < /src/a (bind) rbind,rro,rprivate",
    "/vol < /volumes/named (bind) rbind",
    "/data/b < /src/b (bind) rbind,rshared",
    "/etc/f < /src/f (bind) rbind,rprivate",
    "/a/c < /src/a (bind) rbind,rprivate",
    "/just/anon < /volumes/1 (bind) rbind",
  ]);
  assert.equal(specOf(host).spec.linux?.rootfsPropagation, "shared");
  assert.equal(specOf({ Binds: ["/a:/b:slave"] }).spec.linux?.rootfsPropagation, "rslave");
});

test("--userns: volumes have the owners that the container sees, what is bound from the host keeps its own", () => {
  const host: HostConfig = { Binds: ["/src/a:/data", "named:/vol:ro"], UsernsMode: "uid=0:100000:65536" };
  assert.deepEqual(asked(host), [
    "/data < /src/a (bind) rbind,rprivate",
    "/vol < /volumes/named (bind) rbind,rro,idmap",
  ]);
});

test("--mount: bind, volume and tmpfs with their options", () => {
  const bind = (Target: string, more: object) =>
    ({ Type: "bind", Source: "/src/a", Target, ...more }) as const;
  const host: HostConfig = {
    Mounts: [
      bind("/m1", { ReadOnly: true }),
      bind("/m2", { BindOptions: { Propagation: "rslave", NonRecursive: true } }),
      { Type: "volume", Source: "vv", Target: "/m3", VolumeOptions: { NoCopy: true } },
      { Type: "tmpfs", Target: "/m4", TmpfsOptions: { SizeBytes: 1048576, Mode: 0o700 } },
      { Type: "tmpfs", Target: "/m5", ReadOnly: true },
      bind("/m7", { ReadOnly: true, BindOptions: { ReadOnlyNonRecursive: true } }),
      bind("/m8", { ReadOnly: true, BindOptions: { NonRecursive: true } }),
    ],
  };
  assert.deepEqual(asked(host), [
    "/m1 < /src/a (bind) rbind,rro,rprivate",
    "/m2 < /src/a (bind) bind,rslave",
    "/m3 < /volumes/vv (bind) rbind",
    "/m4 < tmpfs (tmpfs) noexec,nosuid,nodev,rprivate,mode=700,size=1m",
    "/m5 < tmpfs (tmpfs) noexec,nosuid,nodev,rprivate,ro",
    "/m7 < /src/a (bind) rbind,ro,rprivate",
    "/m8 < /src/a (bind) bind,rro,rprivate",
  ]);
  const { origins } = specOf(host);
  assert.equal(origins.get("mounts[7]"), "--mount type=bind,src=/src/a,dst=/m1,readonly");
});

test("--tmpfs: the user's words win over the defaults", () => {
  const Tmpfs = {
    "/run": "",
    "/tmp": "size=10m,exec,mode=1777",
    "/a": "ro,size=64k,nr_inodes=100",
    "/b": "suid,dev",
    "/c": "rw,exec,uid=1000,gid=1000,noatime",
  };
  assert.deepEqual(asked({ Tmpfs }), [
    "/run < tmpfs (tmpfs) noexec,nosuid,nodev,rprivate",
    "/tmp < tmpfs (tmpfs) nosuid,nodev,rprivate,size=10m,exec,mode=1777",
    "/a < tmpfs (tmpfs) noexec,nosuid,nodev,rprivate,ro,size=64k,nr_inodes=100",
    "/b < tmpfs (tmpfs) noexec,rprivate,suid,dev",
    "/c < tmpfs (tmpfs) nosuid,nodev,rprivate,rw,exec,uid=1000,gid=1000,noatime",
  ]);
  assert.equal(specOf({ Tmpfs }).origins.get("mounts[8]"), "--tmpfs /tmp:size=10m,exec,mode=1777");
});

test("--read-only holds for the root and the generated files, a bind over one of them replaces it", () => {
  const { spec, origins } = specOf({ ReadonlyRootfs: true, Binds: ["/src/f:/etc/hosts:ro"] });
  assert.equal(spec.root?.readonly, true);
  assert.equal(origins.get("root.readonly"), "--read-only");
  const file = (path: string) => spec.mounts?.filter(({ destination }) => destination === path);
  assert.deepEqual(file("/etc/resolv.conf")?.[0]?.options, ["rbind", "rro", "rprivate"]);
  assert.deepEqual(file("/etc/hosts"), [
    { destination: "/etc/hosts", type: "bind", source: "/src/f", options: ["rbind", "rro", "rprivate"] },
  ]);
});

test("before Linux 5.12 read-only reaches no further than the mount itself", () => {
  assert.deepEqual(asked({ Binds: ["/a:/b:ro"] }, {}, { kernel: "5.10.0" }), [
    "/b < /a (bind) rbind,ro,rprivate",
  ]);
});

const shm = (host: HostConfig) =>
  specOf(host).spec.mounts?.filter(({ destination }) => destination === "/dev/shm");

test("/dev/shm by --ipc and --shm-size", () => {
  const bind = (source: string) => [
    { destination: "/dev/shm", type: "bind", source, options: ["rbind", "rprivate"] },
  ];
  assert.deepEqual(shm({ IpcMode: "none" }), []);
  assert.deepEqual(shm({ IpcMode: "host" }), bind("/dev/shm"));
  assert.deepEqual(shm({ IpcMode: "shareable" }), bind("/shared/shm"));
  assert.deepEqual(shm({ IpcMode: "container:x" }), bind("/shared/shm"));
  assert.deepEqual(shm({ Binds: ["/src/a:/dev/shm"] }), bind("/src/a"));
  assert.ok(shm({ IpcMode: "private", ShmSize: 1048576 })?.[0]?.options?.includes("size=1048576"));
  assert.equal(specOf({ ShmSize: 1048576 }).origins.get("mounts[6]"), "--shm-size 1m");
});

test("a mount on /dev takes everything below it away", () => {
  const targets = specOf({ Binds: ["/dev:/dev"] }).spec.mounts?.map(({ destination }) => destination);
  assert.deepEqual(
    targets?.filter((target) => target.startsWith("/dev")),
    ["/dev"],
  );
});

test("what --volumes-from brings gives way to what is asked for", () => {
  const { spec } = specOf(
    { Binds: ["/mine:/data"] },
    {},
    {
      files: {},
      inherited: ["/data", "/other"].map((target) => ({
        type: "bind",
        source: "/theirs",
        target,
        ...PLAIN,
        option: "--volumes-from x",
      })),
    },
  );
  const sources = spec.mounts?.slice(7).map(({ destination, source }) => `${destination} < ${source}`);
  assert.deepEqual(sources, ["/data < /mine", "/other < /theirs"]);
});
