-- SPDX-License-Identifier: MIT
-- Edits to the domains of single widgets out of a CSV file, checked to the last cell before the
-- first is used. Columns: sitekey, name or both, and any of add, remove and replace.
local csv = require "csv"
local domain_edit = require "domain_edit"
local sitekey_file = require "sitekey_file"

local edit_file = {}

---@class edit_file.entry
---@field place string "edits.csv:7"
---@field sitekey? string
---@field name? string the widget's when there is no sitekey; else what its name must be
---@field edit domain_edit
---@field found turnstile.widget[] at most one when there is a sitekey; filled by `finder`
---@field problem? string why it cannot be used on what was found

local KNOWN = { "sitekey", "name", "add", "remove", "replace" }

local function words(cell)
  local list = {}
  for word in (cell or ""):gmatch "[^%s;]+" do
    list[#list + 1] = word
  end
  return list
end

local function text(cell)
  return cell ~= "" and cell or nil
end

local function read_entry(row, place, lines, complain)
  local entry = { place = place, sitekey = text(row.sitekey), name = text(row.name), found = {} }
  local key = entry.sitekey and "sitekey " .. entry.sitekey or entry.name and "name " .. entry.name
  if not key then
    complain "no sitekey and no name: which widget?"
  elseif entry.sitekey and not sitekey_file.is_sitekey(entry.sitekey) then
    complain(("%q is no sitekey"):format(entry.sitekey))
  elseif lines[key] then
    complain(("the widget of line %d again"):format(lines[key]))
  else
    lines[key] = tonumber(place:match "%d+$")
  end
  entry.edit = domain_edit.read({
    add = words(row.add), remove = words(row.remove), replace = words(row.replace),
  }, complain)
  return entry
end

---Reads all edits. Raises when the file cannot be read or is no CSV.
---@param path string "-" for standard input
---@return edit_file.entry[] entries in the order of the file
---@return string[] complaints "edits.csv:7: ...", empty when all is well
function edit_file.read(path)
  local entries, complaints, lines = {}, {}, {}
  for row, line in csv.open(path, { known = KNOWN }) do
    local place = ("%s:%d"):format(path, line)
    local function complain(problem)
      complaints[#complaints + 1] = place .. ": " .. problem
    end
    entries[#entries + 1] = read_entry(row, place, lines, complain)
  end
  return entries, complaints
end

---A function to be called with each widget of the fleet, once: puts it into the entry that means
---it, by its sitekey or by its name, and gives that entry.
---@param entries edit_file.entry[]
---@return fun(widget: turnstile.widget): edit_file.entry?
function edit_file.finder(entries)
  local by_sitekey, by_name = {}, {}
  for _, entry in ipairs(entries) do
    if entry.sitekey then
      by_sitekey[entry.sitekey] = entry
    else
      by_name[entry.name] = entry
    end
  end
  return function(widget)
    local entry, other = by_sitekey[widget.sitekey], by_name[widget.name]
    if entry and other then
      other.problem = entry.place .. " means the same widget"
    elseif entry and entry.name and entry.name ~= widget.name then
      entry.problem = ("its name is %q, not %q"):format(widget.name, entry.name)
    end
    entry = entry or other
    if entry then
      entry.found[#entry.found + 1] = widget
    end
    return entry
  end
end

return edit_file
