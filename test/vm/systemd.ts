import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { hostArch } from "../../src/kernel/arch.ts";
import { type Files, host, merged, text } from "./files.ts";
import { systemdPackages } from "./packages.ts";

/** Debian's systemd as process 1 of a guest. */
export const SYSTEMD =
  "/lib/systemd/systemd --system --unit=command.service --log-target=null --show-status=0";

/** Without what other units would wait for: there are none. */
const UNIT = `[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/sh /run-command
StandardInput=null
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
`;

let fetched: string | undefined;

/** Why there can be no systemd here, as a reason to skip. */
export function systemdMissing(): string | undefined {
  try {
    fetched ??= systemdPackages(hostArch());
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A path of the unpacked packages, which `systemdMissing` has fetched. */
export const inPackages = (path: string): string => join(fetched ?? systemdPackages(hostArch()), path);

/** systemd, its client, what both are linked with, and the unit that runs the command. */
export function systemdFiles(): Files {
  const programs = ["/lib/systemd/systemd", "/bin/systemctl"];
  return merged(
    ...programs.map(withPackagedLibraries),
    new Map([
      ["/etc/systemd/system/command.service", text(UNIT)],
      ["/etc/machine-id", text(`${"c".repeat(32)}\n`)],
    ]),
  );
}

const BUS_SOCKET = `[Unit]
DefaultDependencies=no
[Socket]
ListenStream=/run/dbus/system_bus_socket
`;

const BUS_SERVICE = `[Unit]
DefaultDependencies=no
Requires=dbus.socket
[Service]
Type=notify
ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only
`;

/** The system's bus, for \`systemctl start dbus.service\`. */
export function systemBusFiles(): Files {
  const shared = [
    "/usr/share/dbus-1/system.conf",
    "/usr/share/dbus-1/system.d/org.freedesktop.systemd1.conf",
  ];
  return merged(
    withPackagedLibraries("/usr/bin/dbus-daemon"),
    new Map([
      ["/etc/passwd", text("root:x:0:0::/root:/bin/sh\nmessagebus:x:100:100::/:/bin/false\n")],
      ["/etc/group", text("root:x:0:\nmessagebus:x:100:\n")],
      ["/etc/systemd/system/dbus.socket", text(BUS_SOCKET)],
      ["/etc/systemd/system/dbus.service", text(BUS_SERVICE)],
      ...shared.map((path) => [path, host(inPackages(path))] as const),
    ]),
  );
}

/** As the packages' own loader finds them. */
function withPackagedLibraries(program: string): Files {
  const places = ["lib", "usr/lib"].flatMap((above) => {
    const directory = inPackages(`${above}/${TRIPLET}`);
    return [directory, join(directory, "systemd")].filter((each) => existsSync(each));
  });
  const loader = inPackages(LOADER);
  const args = ["--library-path", places.join(":"), "--list", inPackages(program)];
  const listed = spawnSync(loader, args, { encoding: "utf8" });
  if (listed.status !== 0) throw new Error(`Cannot find what ${program} is linked with: ${listed.stderr}`);
  const root = inPackages("/");
  const found = [...listed.stdout.matchAll(/=> (\S+) \(0x/g)].map((match) => match[1] ?? "");
  return new Map(
    [inPackages(program), loader, ...found.filter((path) => path.startsWith(root))].map((path) => [
      path.slice(root.length - 1),
      host(path),
    ]),
  );
}

const TRIPLET = hostArch() === "x86_64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";
const LOADER = hostArch() === "x86_64" ? "/lib64/ld-linux-x86-64.so.2" : "/lib/ld-linux-aarch64.so.1";
