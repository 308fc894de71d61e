#!/bin/bash
# SPDX-License-Identifier: MIT
# Every C file is as clang-format leaves it.
set -euo pipefail
. "$(dirname "$0")/tools.sh"

need_tool clang-format
status=0
findings=$(tree_files '*.c' '*.h' | xargs -0 -r clang-format --dry-run --Werror 2>&1) || status=$?
if [ "$status" -ne 0 ]; then
  # One line for each place, without the source that clang-format quotes.
  sed -n 's/^\([^:]*:[0-9]*\):[0-9]*: error: /\1: /p' <<<"$findings" | uniq
  grep -q ': error: ' <<<"$findings" || printf '%s\n' "$findings"
fi
exit "$status"
