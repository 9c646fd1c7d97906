import { quote } from "./shell.ts";

/** What stands before the steps in every script. */

const HEADER = `#!/bin/sh
# The same container by hand, with the tools of util-linux, coreutils and iproute2 (and hostname). Save this in a
# file and run it as root: it starts itself again for each way into a namespace.
#
# Two things are not in the order of the plan. Mounts are made under $root first and the root is pivoted at the
# end, since the host's paths, and with them its tools, are gone then. And privileges are taken away by tools that
# start the next program, so they come last, in one line.
set -eu
[ "$(id -u)" = 0 ] || [ $# -gt 0 ] || { echo "run this as root" >&2; exit 1; }
[ -f "$0" ] || { echo "save this in a file: it starts itself again" >&2; exit 1; }
# Newer versions of mount would split long lists of layers otherwise.
export LIBMOUNT_FORCE_MOUNT2=always`;

const AT = `# Set $at to where a path of the container is. A link in the image may lead out of it: that is refused. With
# "nofollow" the path itself may be no link either.
at() {
  if [ "\${2-}" = nofollow ] && [ -L "$root$1" ]; then echo "$1 is a link in this image" >&2; exit 1; fi
  at=$(realpath -m -- "$root$1")
  case $at in
    "$root" | "$root"/*) ;;
    *) echo "$1 leads out of the container: a link in the image" >&2; exit 1 ;;
  esac
}

# Stand in the directory of the dynamic linker, from where the named tools can be started even when the host's
# tree has no path any more: $host starts one, and each is named by a variable of its own name.
host_tools() {
  linker=$(ldd "$(command -v env)" | sed -n 's,^[[:space:]]*\\(/[^ ]*\\) (.*,\\1,p')
  linker=$(realpath -- "$linker")
  libraries=
  for tool; do libraries="$libraries $(ldd "$(command -v "$tool")" | sed -n 's,.*=> \\(/.*\\)/[^/]* (.*,\\1,p')"; done
  cd -P "$(dirname "$linker")"
  up=$(pwd | sed 's,/[^/]*,../,g')
  for tool; do
    file=$(realpath -- "$(command -v "$tool")")
    eval "$tool=\\$up\\\${file#/}"
  done
  path=
  for directory in $(printf '%s\\n' $libraries | sort -u); do
    directory=$(realpath -- "$directory")
    path=$path\${path:+:}$up\${directory#/}
  done
  host="$up\${linker#/} --library-path $path"
}`;

/** The container's users have no way through the engine's directories: they get one of their own. */
const FOR_USERS = `# users of the container need a way to its root and to this script
if [ $# = 0 ]; then
  work=$(mktemp -d)
  chmod 755 "$work"
  mkdir "$work/root"
  cp -- "$0" "$work/script"
  export work
fi
self=$work/script
root=$work/root`;

/** Takes back what `FOR_USERS` makes. */
export const USERS_UNDO = 'rm -f "$work/script"; rmdir "$work/root" "$work"';

/** Header and functions; `root` is the directory that becomes the container's root. */
export function preamble(root: string | undefined, ownUsers: boolean): string {
  const self = 'self=$(realpath -- "$0")';
  if (root === undefined) return `${HEADER}\n${self}`;
  const place = `${self}\nroot=${quote(root)}\n[ -d "$root" ] || mkdir -p "$root"`;
  return `${HEADER}\n\n${ownUsers ? FOR_USERS : place}\nroot=$(realpath -- "$root")\n\n${AT}`;
}

/** Take back what the keeper made, however the script ends. */
export function cleaning(undo: readonly string[]): readonly string[] {
  if (undo.length === 0) return [];
  return [
    "# mounts end with their namespace; this is what does not",
    `trap '${undo
      .toReversed()
      .map((command) => command.replaceAll("'", "'\\''"))
      .join("; ")}' EXIT`,
    "trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM",
  ];
}
