type Samples = Readonly<Record<string, readonly unknown[]>>;

/** Values of HostConfig that create refuses; also of fields that work otherwise. */
export const REFUSED: Samples = {
  DeviceRequests: [
    [{ Count: -1, Capabilities: [["gpu"]] }],
    [{ Driver: "cdi", DeviceIDs: ["vendor.com/device=a"] }],
  ],
  IOMaximumIOps: [1],
  IOMaximumBandwidth: [1],
  Cgroup: ["container:x"],
  StorageOpt: [{ size: "10G" }],
  SecurityOpt: [["apparmor=profile"], ["label=type:x"], ["label:level:s0"], ["nonsense=1"], ["nonsense"]],
  Runtime: ["kata"],
  Isolation: ["hyperv"],
  UsernsMode: ["nonsense"],
  CgroupParent: ["a:b:c", "/a/../../b"],
  LogConfig: [{ Type: "splunk" }, { Type: "json-file", Config: { nonsense: "1" } }],
  IpcMode: ["nonsense"],
  PidMode: ["nonsense"],
  UTSMode: ["nonsense"],
  CgroupnsMode: ["nonsense"],
  CapAdd: [["CAP_NONSENSE"]],
  Ulimits: [[{ Name: "nonsense", Soft: 1, Hard: 1 }]],
  RestartPolicy: [{ Name: "nonsense" }, { Name: "always", MaximumRetryCount: 1 }],
};

/** Values that are taken with one warning. */
export const WARNED: Samples = {
  KernelMemory: [10_000_000],
  KernelMemoryTCP: [10_000_000],
  CpuCount: [1],
  CpuPercent: [50],
};

/** Values that are kept and told again. */
export const TOLD: Readonly<Record<string, unknown>> = {
  ContainerIDFile: "/tmp/id",
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
  ExposedPorts: { "80/tcp": {} },
  ArgsEscaped: true,
  OnBuild: ["RUN true"],
  Labels: { a: "b" },
  Shell: ["/bin/sh"],
};
