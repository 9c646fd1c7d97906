import { Refusal } from "../../oci/error.ts";
import type { ContainerConfig, HostConfig } from "../../wire/container.ts";
import { parseBind } from "./binds.ts";
import { parseMount } from "./mount-option.ts";
import { cleanPath, type MountPoint, PLAIN, wrongTarget } from "./mountpoint.ts";
import { typedWord } from "./origins.ts";
import { tmpfsOptions } from "./tmpfs.ts";

/**
 * Everything to be mounted into the container on request: `--tmpfs`, `-v`, `--mount`, what `--volumes-from` brings
 * (`inherited`), and the volumes the image declares; of several at one target the first counts, in that order, but
 * two that were asked for are refused, and of what is inherited the last one counts.
 * @returns a sentence of Docker's for a word that makes no sense
 */
export function parseMountPoints(
  config: ContainerConfig,
  host: HostConfig,
  inherited: readonly MountPoint[] = [],
): readonly MountPoint[] | string {
  const points: MountPoint[] = [];
  const parsed = [
    ...Object.entries(host.Tmpfs ?? {}).map(([target, words]) => parseTmpfs(target, words)),
    ...(host.Binds ?? []).map(parseBind),
    ...(host.Mounts ?? []).map(parseMount),
  ];
  for (const point of parsed) {
    if (typeof point === "string") return point;
    if (points.some(({ target }) => target === point.target)) return `Duplicate mount point: ${point.target}`;
    points.push(point);
  }
  // Of several containers to take from, the last one named counts.
  for (const point of [...inherited.toReversed(), ...declared(config)]) {
    if (!points.some(({ target }) => target === point.target)) points.push(point);
  }
  return points;
}

/** The same for a configuration that has been validated. */
export function mountPoints(...given: Parameters<typeof parseMountPoints>): readonly MountPoint[] {
  const points = parseMountPoints(...given);
  if (typeof points === "string") throw new Refusal("invalid", points);
  return points;
}

function parseTmpfs(target: string, words: string): MountPoint | string {
  const wrong = wrongTarget(target);
  if (wrong !== undefined) return wrong;
  const options = words === "" ? [] : words.split(",");
  const merged = tmpfsOptions(options);
  if ("wrong" in merged) return merged.wrong;
  const option = `--tmpfs ${typedWord(words === "" ? target : `${target}:${words}`)}`;
  return { ...PLAIN, type: "tmpfs", source: "", target: cleanPath(target), options, option };
}

/** `VOLUME` of the image, or `-v /target`; what cannot be a target is passed over, since images may hold anything. */
function declared({ Volumes }: ContainerConfig): readonly MountPoint[] {
  return Object.keys(Volumes ?? {})
    .filter((target) => wrongTarget(target) === undefined)
    .map((target) => ({
      ...PLAIN,
      type: "volume",
      source: "",
      target: cleanPath(target),
      option: `-v ${typedWord(target)}`,
    }));
}
