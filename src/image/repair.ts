import { reasonOf } from "../oci/error.ts";
import { decompressed } from "./compression.ts";
import type { Context } from "./context.ts";

/** Unpacks layers again that images name but a power cut has taken, from their archives. */
export async function repairLayers(context: Context): Promise<void> {
  const { store, driver, blobs } = context;
  for (const image of store.images.values()) {
    for (const [i, { chainId, diffId, blob }] of image.layers.entries()) {
      if (driver.hasLayer(chainId)) continue;
      try {
        if (blob === undefined || !blobs.has(blob.digest)) throw new Error("its archive is gone");
        const { stream } = await decompressed(blobs.open(blob.digest));
        await driver.apply(image.layers[i - 1]?.chainId, stream, diffId);
      } catch (error) {
        store.damaged.push(
          `Cannot use image ${image.id}: layer ${diffId} is not there and ${reasonOf(error)}`,
        );
        break;
      }
    }
  }
}
