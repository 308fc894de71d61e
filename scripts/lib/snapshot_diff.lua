-- SPDX-License-Identifier: MIT
-- What is different between two states of a fleet. Widgets are the same when their sitekeys are.
local cjson = require "cjson"

local snapshot_diff = {}

-- The service's own notes: they tell that something was written, and how, not what. A secret that was
-- rotated shows in nothing else.
local NOTES = { created_on = true, modified_on = true, deployed_via = true, last_modified_via = true }

-- What is in the one list and not in the other, sorted.
local function missing(from, list)
  local has, rest = {}, {}
  for _, item in ipairs(list) do
    has[item] = true
  end
  for _, item in ipairs(from) do
    if not has[item] then
      rest[#rest + 1] = item
    end
  end
  table.sort(rest)
  return rest
end

local function words(value)
  return value == nil and "nothing" or type(value) == "string" and value or cjson.encode(value)
end

local function is_same(a, b)
  return a == b or type(a) == "table" and type(b) == "table" and cjson.encode(a) == cjson.encode(b)
end

-- "mode: managed, was invisible" for each field that differs, but for domains and notes; sorted.
local function fields_between(old, new)
  local names, list = {}, {}
  for _, widget in ipairs { old, new } do
    for name in pairs(widget) do
      names[name] = name ~= "domains" and name ~= "secret" and not NOTES[name] or nil
    end
  end
  for name in pairs(names) do
    if not is_same(old[name], new[name]) then
      list[#list + 1] = ("%s: %s, was %s"):format(name, words(new[name]), words(old[name]))
    end
  end
  table.sort(list)
  return list
end

local function by_sitekey(widgets)
  local index = {}
  for _, widget in ipairs(widgets) do
    index[widget.sitekey] = widget
  end
  return index
end

---@class snapshot_diff.row
---@field sitekey string
---@field change "added"|"removed"|"changed"
---@field name string as it is now, or was last
---@field added string[] domains
---@field removed string[] domains
---@field fields string[] "mode: managed, was invisible"

---Compares two fleets. Domains are compared as a set; secrets are not
---compared, nor are the service's notes of when and how a widget was written.
---@param old turnstile.widget[]
---@param new turnstile.widget[]
---@return snapshot_diff.row[] rows sorted by name and sitekey, none where nothing differs
function snapshot_diff.compare(old, new)
  local rows, before, now = {}, by_sitekey(old), by_sitekey(new)
  local function add(change, widget, row)
    row.change, row.sitekey, row.name = change, widget.sitekey, widget.name
    rows[#rows + 1] = row
  end
  for _, widget in ipairs(old) do
    if not now[widget.sitekey] then
      add("removed", widget, { added = {}, removed = missing(widget.domains, {}), fields = {} })
    end
  end
  for _, widget in ipairs(new) do
    local other = before[widget.sitekey]
    if not other then
      add("added", widget, { added = missing(widget.domains, {}), removed = {}, fields = {} })
    else
      local row = {
        added = missing(widget.domains, other.domains),
        removed = missing(other.domains, widget.domains),
        fields = fields_between(other, widget),
      }
      if #row.added + #row.removed + #row.fields > 0 then
        add("changed", widget, row)
      end
    end
  end
  table.sort(rows, function(a, b)
    if a.name ~= b.name then
      return a.name < b.name
    end
    return a.sitekey < b.sitekey
  end)
  return rows
end

return snapshot_diff
