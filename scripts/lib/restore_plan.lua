-- SPDX-License-Identifier: MIT
-- Which widget of an account stands for which of a snapshot. A deleted widget cannot come back under
-- its sitekey, so one that was made in its place is known by its name: a restore that is run again
-- must not make another.
local cjson = require "cjson"

local restore_plan = {}

-- What a widget is set back to.
local FIELDS = {
  "name", "domains", "mode", "clearance_level", "bot_fight_mode", "ephemeral_id", "offlabel",
}
-- What a new widget has anyhow. Some accounts may not even name these.
local DEFAULTS = { clearance_level = "no_clearance", bot_fight_mode = false, ephemeral_id = false,
  offlabel = false }

local function domains_key(widget)
  local domains = table.move(widget.domains, 1, #widget.domains, 1, {})
  table.sort(domains)
  return table.concat(domains, " ")
end

-- Takes the first of the candidates that passes out of their list.
local function take(candidates, passes)
  for i, widget in ipairs(candidates) do
    if passes(widget) then
      return table.remove(candidates, i)
    end
  end
end

-- Widgets that are not in the snapshot, by name, in order of their sitekeys.
local function strangers(snapshot, live)
  local known, by_name, all = {}, {}, {}
  for _, widget in ipairs(snapshot) do
    known[widget.sitekey] = true
  end
  for _, widget in ipairs(live) do
    if not known[widget.sitekey] then
      all[#all + 1] = widget
      by_name[widget.name] = by_name[widget.name] or {}
      table.insert(by_name[widget.name], widget)
    end
  end
  for _, list in pairs(by_name) do
    table.sort(list, function(a, b)
      return a.sitekey < b.sitekey
    end)
  end
  return by_name, all
end

---What a widget of a snapshot is set back to by an update.
---@param wanted turnstile.widget
---@return turnstile.widget_changes
function restore_plan.changes(wanted)
  local changes = {}
  for _, field in ipairs(FIELDS) do
    if wanted[field] ~= cjson.null then
      changes[field] = wanted[field]
    end
  end
  return changes
end

---What a widget of a snapshot is made anew from.
---@param wanted turnstile.widget
---@return turnstile.widget_fields
function restore_plan.fields(wanted)
  local fields = restore_plan.changes(wanted)
  for field, value in pairs(DEFAULTS) do
    if fields[field] == value then
      fields[field] = nil
    end
  end
  fields.region = wanted.region ~= cjson.null and wanted.region or nil
  return fields
end

---@class restore_plan.entry
---@field wanted turnstile.widget of the snapshot
---@field live? turnstile.widget that stands for it; nil: there is none
---@field obstacle? string why it cannot be told which one does

---Pairs the widgets of a snapshot with those of the account.
---@param snapshot turnstile.widget[]
---@param live turnstile.widget[]
---@return restore_plan.entry[] entries in the order of the snapshot
---@return turnstile.widget[] extra widgets of the account that stand for none
function restore_plan.pair(snapshot, live)
  local index, entries, missing = {}, {}, {}
  local by_name, extra = strangers(snapshot, live)
  for _, widget in ipairs(live) do
    index[widget.sitekey] = widget
  end
  for i, wanted in ipairs(snapshot) do
    entries[i] = { wanted = wanted, live = index[wanted.sitekey] }
    if not entries[i].live then
      missing[#missing + 1] = entries[i]
    end
  end
  for _, entry in ipairs(missing) do
    local key = domains_key(entry.wanted)
    entry.live = take(by_name[entry.wanted.name] or {}, function(widget)
      return domains_key(widget) == key
    end)
  end
  for _, entry in ipairs(missing) do
    local candidates = by_name[entry.wanted.name]
    if not entry.live and candidates and #candidates > 0 then
      local sitekeys = {}
      for i, widget in ipairs(candidates) do
        sitekeys[i] = widget.sitekey
      end
      entry.obstacle = "a widget of this name with other domains was made since: "
        .. table.concat(sitekeys, ", ")
    end
  end
  local stands = {}
  for _, entry in ipairs(entries) do
    if entry.live then
      stands[entry.live.sitekey] = true
    end
  end
  local rest = {}
  for _, widget in ipairs(extra) do
    if not stands[widget.sitekey] then
      rest[#rest + 1] = widget
    end
  end
  return entries, rest
end

return restore_plan
