import { startDockerd } from "./dockerd.ts";
import { installCompose, installDocker, installPython, peerVersion } from "./packages.ts";

/** `install` fetches the peers; `dockerd` runs a private Docker daemon until interrupted and prints its address. */
const [command = "install"] = process.argv.slice(2);

switch (command) {
  case "install": {
    for (const install of [installDocker, installCompose, installPython]) {
      const problem = install();
      if (problem !== undefined) console.error(problem);
    }
    for (const program of ["dockerd", "docker", "containerd", "runc", "crun", "podman", "bwrap"]) {
      console.log(`${program.padEnd(12)}${peerVersion(program) ?? "not there"}`);
    }
    break;
  }
  case "dockerd": {
    await using daemon = await startDockerd();
    console.log(`export DOCKER_HOST=${daemon.host}`);
    await new Promise((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
    break;
  }
  default:
    console.error(`Unknown command ${command}: install or dockerd`);
    process.exitCode = 2;
}
