/** Media types of the OCI image spec (media-types.md) and of Docker's image manifest version 2. */
export const MEDIA = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

/** Whether a media type names an image index (Docker: manifest list). */
export function isIndexType(type: string | undefined): boolean {
  return type === MEDIA.ociIndex || type === MEDIA.dockerIndex;
}

/** Whether a media type names the manifest of one image. */
export function isManifestType(type: string | undefined): boolean {
  return type === MEDIA.ociManifest || type === MEDIA.dockerManifest;
}
