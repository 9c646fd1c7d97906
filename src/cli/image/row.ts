import type { ImageSummary } from "../../wire/image.ts";
import { ago, goTime, humanSize, shortId } from "../format/human.ts";
import type { Listing } from "../format/rows.ts";
import type { Fields } from "../format/value.ts";

export const imageListing: Listing = {
  columns:
    "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}",
  headers: {
    Containers: "CONTAINERS",
    CreatedAt: "CREATED AT",
    CreatedSince: "CREATED",
    Digest: "DIGEST",
    ID: "IMAGE ID",
    Repository: "REPOSITORY",
    SharedSize: "SHARED SIZE",
    Size: "SIZE",
    Tag: "TAG",
    UniqueSize: "UNIQUE SIZE",
    VirtualSize: "VIRTUAL SIZE",
  },
  id: "ID",
};

/** An image as `images` shows it: one row a name; without a name, one row. */
export function imageRows(it: ImageSummary, truncate: boolean, digests: boolean): readonly Fields[] {
  const names = namesOf(it, digests);
  return names.map(({ repository, tag, digest }) => ({
    Containers: it.Containers < 0 ? "N/A" : String(it.Containers),
    get CreatedAt() {
      return goTime(it.Created);
    },
    CreatedSince: it.Created === 0 ? "" : ago(it.Created),
    Digest: digest,
    ID: truncate ? shortId(it.Id) : it.Id,
    Repository: repository,
    SharedSize: it.SharedSize < 0 ? "N/A" : humanSize(it.SharedSize),
    Size: humanSize(it.Size),
    Tag: tag,
    UniqueSize: it.SharedSize < 0 ? "N/A" : humanSize(it.Size - it.SharedSize),
    VirtualSize: humanSize(it.Size),
  }));
}

interface Name {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

const NONE = "<none>";

function namesOf(it: ImageSummary, digests: boolean): readonly Name[] {
  const tags = (it.RepoTags ?? []).filter((name) => name !== "<none>:<none>");
  const byDigest = (it.RepoDigests ?? []).filter((name) => name !== "<none>@<none>");
  const digestOf = (repository: string) =>
    byDigest.find((name) => name.startsWith(`${repository}@`))?.split("@")[1] ?? NONE;
  const tagged = tags.map((name) => {
    const colon = name.lastIndexOf(":");
    const repository = name.slice(0, colon);
    return { repository, tag: name.slice(colon + 1), digest: digests ? digestOf(repository) : NONE };
  });
  if (tagged.length > 0) return tagged;
  const untagged = byDigest.map((name) => {
    const [repository = "", digest = ""] = name.split("@");
    return { repository, tag: NONE, digest };
  });
  return untagged.length > 0 ? untagged : [{ repository: NONE, tag: NONE, digest: NONE }];
}
