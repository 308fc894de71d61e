-- SPDX-License-Identifier: MIT
-- Command lines of scripts: argparse, with complaints as tshost itself makes them.
local argparse = require "argparse"

local usage = {}

---An argparse parser whose complaints are one line on standard error and exit status 2.
---@param name string what the user typed, as in "tshost onboard.lua"
---@param description string
---@return table parser
function usage.parser(name, description)
  local parser = argparse(name, description):help_max_width(80)
  parser.error = function(_, problem)
    local line = problem:gsub("\n", "; ")
    io.stderr:write(("%s: %s; see %s --help\n"):format(name, line, name))
    os.exit(2)
  end
  return parser
end

return usage
