#!/bin/bash
# SPDX-License-Identifier: MIT
# clang-tidy over every C source, with the flags of the build; usage: tidy.sh BUILD_DIR
set -euo pipefail
. "$(dirname "$0")/tools.sh"

need_tool clang-tidy
database=${1:?usage: tidy.sh BUILD_DIR}/compile_commands.json
if [ ! -f "$database" ]; then
  echo "$database: not found; configure with CMAKE_EXPORT_COMPILE_COMMANDS=ON" >&2
  exit 1
fi
compiled=$(sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$database" | sort -u)

status=0
sources=()
while IFS= read -r -d '' path; do
  if grep -qxF "$PWD/$path" <<<"$compiled"; then
    sources+=("$path")
  else
    echo "$path:1: not compiled in $1"
    status=1
  fi
done < <(tree_files '*.c')

# One process a file, its findings printed in one piece; flags only gcc knows are no finding.
tidy_one() {
  local out
  if ! out=$(clang-tidy --quiet -p "$1" --extra-arg=-Wno-unknown-warning-option "$2" 2>&1); then
    printf '%s\n' "${out//"$PWD/"/}"
    return 1
  fi
}
export -f tidy_one
if [ ${#sources[@]} -gt 0 ]; then
  printf '%s\0' "${sources[@]}" |
    xargs -0 -n 1 -P "$(nproc)" bash -c 'tidy_one "$0" "$1"' "$1" || status=1
fi
exit $status
