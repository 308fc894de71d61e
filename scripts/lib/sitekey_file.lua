-- SPDX-License-Identifier: MIT
-- Sitekeys out of a text file, one a line, as a script or a spreadsheet leaves them.
local sitekey_file = {}

local LONGEST = 32

---Whether a text can be a sitekey.
---@param text string
---@return boolean
function sitekey_file.is_sitekey(text)
  return #text <= LONGEST and text:find "^[%w_-]+$" ~= nil
end

---Reads all sitekeys. Blank lines, and what stands behind a "#", are skipped; a sitekey that comes
---twice counts once. Raises when the file cannot be read.
---@param path string "-" for standard input
---@return string[] sitekeys in the order of the file
---@return string[] complaints "keys.txt:7: ...", empty when all is well
function sitekey_file.read(path)
  local file = path == "-" and io.stdin or assert(io.open(path))
  local sitekeys, complaints, seen, number = {}, {}, {}, 0
  for line in file:lines() do
    number = number + 1
    local text = line:gsub("^\u{FEFF}", ""):gsub("#.*", ""):match "^%s*(.-)%s*$"
    if text ~= "" and not sitekey_file.is_sitekey(text) then
      complaints[#complaints + 1] = ("%s:%d: %q is no sitekey"):format(path, number, text)
    elseif text ~= "" and not seen[text] then
      seen[text] = true
      sitekeys[#sitekeys + 1] = text
    end
  end
  if path ~= "-" then
    file:close()
  end
  if number == 0 or #sitekeys + #complaints == 0 then
    complaints[#complaints + 1] = path .. ": no sitekeys in it"
  end
  return sitekeys, complaints
end

return sitekey_file
