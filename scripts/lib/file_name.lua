-- SPDX-License-Identifier: MIT
-- File names for texts that anybody may have chosen: no path, no hidden file, never the same name
-- for two texts, not even where the filesystem ignores case.
local file_name = {}

local LONGEST = 200 -- bytes; filesystems end at 255

-- FNV-1a, 64 bits.
local function hash(text)
  local value = 0xcbf29ce484222325
  for i = 1, #text do
    value = (value ~ text:byte(i)) * 0x100000001b3
  end
  return ("%016x"):format(value)
end

local function escape(char)
  return char:find "[A-Z]" and "+" .. char:lower() or ("%%%02x"):format(char:byte())
end

---The file name for a text. Lower-case letters, digits, ".", "_" and "-" stay, "A" becomes "+a",
---everything else "%" and two hex digits. What would be too long is cut and ends in "~" and a hash.
---@param text string not empty
---@return string
function file_name.of(text)
  local name = text:gsub("[^a-z0-9._-]", escape):gsub("^[.-]", escape)
  if #name > LONGEST then
    name = name:sub(1, LONGEST) .. "~" .. hash(text)
  end
  return name
end

return file_name
