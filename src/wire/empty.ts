import type { ContainerConfig } from "./container.ts";

/** What was not said, in Docker's words for nothing: clients of Go and others tell `null`, "" and 0 apart. */
export const EMPTY_CONFIG = {
  Hostname: "",
  Domainname: "",
  User: "",
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: null,
  Cmd: null,
  Image: "",
  Volumes: null,
  WorkingDir: "",
  Entrypoint: null,
  OnBuild: null,
  Labels: null,
} as const satisfies ContainerConfig;
