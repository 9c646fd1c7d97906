import { join } from "node:path";
import { type BuildOptions, buildImage } from "../../src/build/build.ts";
import type { Images } from "../../src/image/images.ts";
import { runPlan } from "../../src/plan/run.ts";
import { imagesIn, type Made, streamOf, tarOf } from "../image/scratch.ts";

export const skip = process.getuid?.() === 0 ? false : "needs root";
/** A root file system, in every context as rootfs.tar. */
export const ROOTFS = tarOf(
  { name: "./", type: "directory", mode: 0o755 },
  { name: "./bin/", type: "directory", mode: 0o755 },
  { name: "./bin/sh", data: "#!", mode: 0o4755, uid: 3 },
  { name: "./etc/passwd", data: "root:x:0:0::/:/bin/sh\nweb:x:33:34::/:/bin/sh\n" },
  { name: "./var/link", type: "symlink", link: "/srv/real" },
  { name: "./srv/real/", type: "directory", mode: 0o700 },
);

export interface Built {
  readonly images: Images;
  readonly output: string;
}

/** Builds a Dockerfile as `built`, in directories of its own below `path`. */
export async function build(
  path: string,
  dockerfile: string,
  more: Partial<BuildOptions> | ((images: Images) => Partial<BuildOptions>) = {},
  files: readonly Made[] = [],
): Promise<Built> {
  const images = await imagesIn(path);
  let output = "";
  const context = tarOf({ name: "Dockerfile", data: dockerfile }, ...files);
  const parts = [
    context.subarray(0, -1024),
    tarOf({ name: "rootfs.tar", size: ROOTFS.length }).subarray(0, 512),
    ROOTFS,
    Buffer.alloc(((512 - (ROOTFS.length % 512)) % 512) + 1024),
  ];
  await buildImage({
    images,
    runPlan,
    context: streamOf(Buffer.concat(parts)),
    directory: join(path, "build"),
    tags: ["built"],
    progress: (message) => {
      output += "stream" in message ? message.stream : "";
    },
    ...(typeof more === "function" ? more(images) : more),
  });
  return { images, output };
}
