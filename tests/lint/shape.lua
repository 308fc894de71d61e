-- SPDX-License-Identifier: MIT
-- The shape of the tree: no file too long, a licence line in every source, a README in every
-- directory that holds sources, and nothing unexpected at the top.
local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local source = require("source")

local LINES_MAX = 600

local top = {}
for name in ([[
  CMakeLists.txt CMakePresets.json Makefile README.md CHANGELOG.md CONTRIBUTING.md LICENSE
  host bindings scripts tests docs
]]):gmatch("%S+") do
  top[name] = true
end

local function has_licence(text)
  local seen = 0
  for _, line in source.lines(text) do
    if line:find("SPDX-License-Identifier: MIT", 1, true) then
      return true
    end
    seen = seen + 1
    if seen == 3 then -- a #! line and one more may stand before it
      return false
    end
  end
  return false
end

local function is_source(path, text)
  local name = path:match("[^/]*$")
  return name:find("%.[ch]$") or name:find("%.lua$") or name:find("%.sh$") or name:find("%.py$")
    or name:find("%.m?js$") or name:find("%.cmake$") or name == "CMakeLists.txt"
    or name == "Makefile" or text:find("^#!")
end

local needs_readme = {}
for _, path in ipairs(source.files("")) do
  local text = source.read(path)
  local first = path:match("^[^/]+")
  if not top[first] and not first:find("^%.") then
    source.report(path, 1, "%s is not among what the top level holds", first)
  end
  if path:find("%.[ch]$") or path:find("%.lua$") then
    local lines = select(2, text:gsub("\n", ""))
    if lines > LINES_MAX then
      source.report(path, LINES_MAX + 1, "%d lines; a file has at most %d", lines, LINES_MAX)
    end
  end
  if is_source(path, text) then
    -- One README stands for all below a kind of test.
    local folder = path:match("^(tests/[^/]+)/") or path:match("^(.*)/")
    if folder and not path:find("CMakeLists%.txt$") and not folder:find("^%.") then
      needs_readme[folder] = needs_readme[folder] or path
    end
    if not has_licence(text) then
      source.report(path, 1, "no SPDX-License-Identifier in the first lines")
    end
  end
end
for folder, path in pairs(needs_readme) do
  local readme = io.open(folder .. "/README.md", "rb")
  if readme then
    readme:close()
  else
    source.report(path, 1, "%s has no README.md", folder)
  end
end
source.finish()
