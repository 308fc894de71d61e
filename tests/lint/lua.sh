#!/bin/bash
# SPDX-License-Identifier: MIT
# luacheck over every Lua file of the tree, stubs included; the rules are in .luacheckrc.
set -euo pipefail
. "$(dirname "$0")/tools.sh"

need_tool luacheck
tree_files '*.lua' | xargs -0 -r luacheck --quiet --no-cache --formatter plain
