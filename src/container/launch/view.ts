import { CLONE } from "../../kernel/flags.ts";
import type { Mount } from "../../oci/runtime/spec.ts";
import { call, num } from "../../plan/build.ts";
import type { Plan } from "../../plan/step.ts";
import type { Rootfs } from "../../storage/driver.ts";
import { openSource, planMount } from "./mounts.ts";
import { attachInside, makeInside } from "./place.ts";
import { detachPropagation, mountRoot, pivot, standOnRoot } from "./rootfs.ts";

/** What a view of a container's files is made from; all paths are of the host. */
export interface ViewFacts {
  readonly rootfs: Rootfs;
  /** An empty directory to mount the root on. */
  readonly rootPlace: string;
  /** A working directory that is made where it is missing: it is there from a container's creation on. */
  readonly workingDirectory?: string;
  /** Binds and volumes, in the order in which they are mounted. */
  readonly mounts: readonly Mount[];
  readonly isDirectory: (path: string) => boolean;
}

/**
 * The plan that sees the files of a container that does not run as its processes would: its root with its binds and
 * volumes, in a mount namespace of its own. It is held for as long as somebody looks; the host's tree never has it.
 */
export function viewPlan({
  rootfs,
  rootPlace,
  workingDirectory = "/",
  mounts,
  isDirectory,
}: ViewFacts): Plan {
  const why = "see the container's files where nobody else does";
  const planned = mounts.map((mount, index) =>
    planMount(mount, index, isDirectory, { why: `mount ${mount.destination}` }),
  );
  return {
    steps: [
      call("unshare", [num(CLONE.NEWNS, "CLONE_NEWNS")], why),
      ...planned.flatMap(openSource),
      detachPropagation(),
      ...mountRoot(rootfs, rootPlace),
      standOnRoot(rootPlace),
      ...pivot(),
      ...makeInside(workingDirectory, "directory", { why: "make the working directory" }),
      ...planned.flatMap(({ directory, mount, reason, tree }) =>
        attachInside(tree, mount.destination, directory ? "directory" : "file", reason),
      ),
    ],
  };
}
