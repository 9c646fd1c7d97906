import { type Docker, docker } from "../api.ts";
import { IMAGE, timeCommand } from "../peers.ts";
import { type Row, within } from "../row.ts";
import { type Contender, medians, milliseconds } from "../sample.ts";

/** Create, start, wait, remove over one kept connection, beside the smallest sandbox there is. */
export const api: Row = {
  name: "api",
  measure: async ({ cais, peers, runs }) => {
    const sandbox = [
      "--unshare-all",
      "--bind",
      peers.rootfs,
      "/",
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      "/bin/true",
    ];
    const contenders: Contender[] = [
      ...(cais ? [{ name: "cais", once: () => milliseconds(() => cycle(cais.api)) }] : []),
      ...(peers.docker ? [dockerContender(docker(peers.docker.socket))] : []),
      ...(peers.bwrap ? [{ name: "bwrap", once: () => timeCommand(["bwrap", sandbox]) }] : []),
    ];
    const values = await medians(contenders, runs);
    return [
      {
        what: "API create, start, wait, remove",
        unit: "ms",
        values,
        targets: [within(values, "bwrap", 1.5)],
      },
    ];
  },
};

function dockerContender(engine: Docker): Contender {
  return { name: "docker", once: () => milliseconds(() => cycle(engine)) };
}

/** One container's whole life. */
export async function cycle(engine: Docker): Promise<void> {
  const id = await engine.create(IMAGE, ["/bin/true"]);
  await engine.start(id);
  const code = await engine.wait(id);
  await engine.remove(id);
  if (code !== 0) throw new Error(`true ended with ${code}`);
}
