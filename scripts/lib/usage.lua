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

---For argparse: converts what is given for an option to a whole number from 1.
---@param option string
---@return fun(text: string): integer?, string?
function usage.count(option)
  return function(text)
    local count = text:find "^%d+$" and math.tointeger(tonumber(text))
    if not count or count < 1 then
      return nil, ("%s %q: a whole number from 1 expected"):format(option, text)
    end
    return count
  end
end

return usage
