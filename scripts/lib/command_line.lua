-- SPDX-License-Identifier: MIT
-- A command as somebody types it, taken apart into its words as a shell would, but run without one:
-- what is filled in later stays one word, whatever it holds.
local fs = require "fs"

local command_line = {}

-- What a shell would act upon, and we would hand to the command as it is.
local SHELL_ONLY = "[|&;<>$`()]"

-- One quoted or bare piece of a word that begins at i: its text and where the next begins.
local function read_piece(text, i)
  local char = text:sub(i, i)
  if char == "'" or char == '"' then
    local last = text:find(char, i + 1, true)
    if not last then
      return nil, "a quote has no end"
    end
    return text:sub(i + 1, last - 1), last + 1
  elseif char == "\\" and i < #text then
    return text:sub(i + 1, i + 1), i + 2
  elseif char:find(SHELL_ONLY) then
    return nil, ("%s means nothing without a shell: quote it, or use sh -c '...'"):format(char)
  end
  return char, i + 1
end

---Takes a command apart at its spaces. Quotes and backslashes keep characters together; nothing is
---expanded.
---@param text string
---@return string[]? words nil when it is none
---@return string? problem
function command_line.split(text)
  local words, word, i = {}, nil, 1
  while i <= #text do
    if text:find("^%s", i) then
      words[#words + 1] = word
      word, i = nil, i + 1
    else
      local piece, next_or_problem = read_piece(text, i)
      if not piece then
        return nil, next_or_problem
      end
      word, i = (word or "") .. piece, next_or_problem
    end
  end
  words[#words + 1] = word
  if (words[1] or "") == "" then
    return nil, "no command"
  end
  return words
end

---The names between braces that the words hold: `{name}`.
---@param words string[]
---@return table<string, boolean>
function command_line.fields(words)
  local fields = {}
  for _, word in ipairs(words) do
    for field in word:gmatch "{(%a[%w_]*)}" do
      fields[field] = true
    end
  end
  return fields
end

---The words with values for the names between braces. Each word stays one.
---@param words string[]
---@param values table<string, string>
---@return string[]
function command_line.fill(words, values)
  local filled = {}
  for i, word in ipairs(words) do
    filled[i] = word:gsub("{(%a[%w_]*)}", values)
  end
  return filled
end

---Whether there is a program of that name, where the system would look for it.
---@param program string
---@return boolean
function command_line.is_there(program)
  if program:find("/", 1, true) then
    return fs.exists(program) == true
  end
  for folder in (os.getenv "PATH" or "/usr/bin:/bin"):gmatch "[^:]+" do
    if fs.exists(folder .. "/" .. program) then
      return true
    end
  end
  return false
end

return command_line
