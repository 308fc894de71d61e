# SPDX-License-Identifier: MIT
# Shared by the checks that call a tool. A tool that is not there is an error, never a skip.

need_tool() {
  if ! command -v "$1" >/dev/null; then
    echo "$1 is not installed; CONTRIBUTING.md names the packages" >&2
    exit 1
  fi
}

# The tree's files that match the git patterns, NUL-separated, without ignored and deleted ones.
tree_files() {
  git ls-files -z --cached --others --exclude-standard --deduplicate -- "$@" |
    while IFS= read -r -d '' path; do
      if [ -e "$path" ]; then
        printf '%s\0' "$path"
      fi
    done
}
