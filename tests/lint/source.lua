-- SPDX-License-Identifier: MIT
-- What the text checks share: which files there are, their lines, C without comments and strings,
-- and how a finding is reported. Paths are relative to the working directory, the tree's root.
local source = {}

local findings = 0

-- Paths of the tree's files, ignored ones left out, that match any of the Lua patterns.
function source.files(...)
  local patterns = { ... }
  local pipe = assert(io.popen("git ls-files --cached --others --exclude-standard", "r"))
  local list, seen = {}, {}
  for path in pipe:lines() do
    for _, pattern in ipairs(patterns) do
      if path:find(pattern) and not seen[path] then
        seen[path] = true
        local file = io.open(path, "rb") -- a deleted file is listed until the commit
        if file then
          file:close()
          list[#list + 1] = path
        end
      end
    end
  end
  assert(pipe:close(), "git ls-files failed: not a git checkout?")
  table.sort(list)
  return list
end

function source.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

-- Iterates over (number, line) of a text.
function source.lines(text)
  local number = 0
  local next_line = text:gmatch("([^\n]*)\n?")
  local size = select(2, text:gsub("\n", "")) + (text:sub(-1) ~= "\n" and 1 or 0)
  return function()
    number = number + 1
    if number <= size then
      return number, next_line()
    end
  end
end

local function blank(text)
  return (text:gsub("[^\n]", " "))
end

-- C with comments blanked, and the inside of strings and character constants unless keep_strings;
-- every line keeps its number.
function source.strip_c(text, keep_strings)
  local out, at = {}, 1
  while true do
    local from = text:find("[/\"']", at)
    if not from then
      out[#out + 1] = text:sub(at)
      return table.concat(out)
    end
    out[#out + 1] = text:sub(at, from - 1)
    local two, one = text:sub(from, from + 1), text:sub(from, from)
    local to = from
    if two == "//" then
      to = (text:find("\n", from, true) or #text + 1) - 1
      out[#out + 1] = blank(text:sub(from, to))
    elseif two == "/*" then
      to = select(2, text:find("*/", from + 2, true)) or #text
      out[#out + 1] = blank(text:sub(from, to))
    elseif one == "/" then
      out[#out + 1] = one
    else
      to = from + 1
      while to < #text and text:sub(to, to) ~= one and text:sub(to, to) ~= "\n" do
        to = to + (text:sub(to, to) == "\\" and 2 or 1)
      end
      local inside = text:sub(from + 1, to - 1)
      out[#out + 1] = one .. (keep_strings and inside or blank(inside)) .. text:sub(to, to)
    end
    at = to + 1
  end
end

function source.report(path, line, format, ...)
  findings = findings + 1
  io.stdout:write(("%s:%d: %s\n"):format(path, line, format:format(...)))
end

-- Ends the check: failure when anything was reported.
function source.finish()
  os.exit(findings == 0, true)
end

return source
