-- SPDX-License-Identifier: MIT
-- What an operation of the journal changed, as the notes beneath its row: sets as sets, fields as
-- old and new values, and why it was not done.
local operation_notes = {}

local FIELDS = {
  "name", "mode", "region", "clearance_level", "bot_fight_mode", "ephemeral_id", "offlabel",
}

local function quoted(value)
  return type(value) == "string" and ('"%s"'):format(value) or tostring(value)
end

local function add(notes, mark, format, ...)
  notes[#notes + 1] = { mark = mark, text = format:format(...) }
end

local function set_of(list)
  local set = {}
  for _, item in ipairs(list or {}) do
    set[item] = true
  end
  return set
end

-- The items that `list` has and `other` has not, in their order.
local function without(list, other)
  local set, rest = set_of(other), {}
  for _, item in ipairs(list or {}) do
    if not set[item] then
      rest[#rest + 1] = item
    end
  end
  return rest
end

local function add_domains(notes, before, after)
  local added, removed = without(after, before), without(before, after)
  if #added > 0 then
    add(notes, "+", "%s", table.concat(added, " "))
  end
  if #removed > 0 then
    add(notes, "-", "%s", table.concat(removed, " "))
  end
  if #added + #removed > 0 and #after == 0 then
    add(notes, "~", "any hostname is admitted")
  end
end

-- The fields that an update gave another value. Without the widget as it was, all that it sent; and
-- one that was given up before there was anything to send has no body.
local function update_notes(notes, row)
  local before, body = row.before or {}, row.body or {}
  for _, field in ipairs(FIELDS) do
    local old, new = before[field], body[field]
    if new ~= nil and old ~= new then
      local from = old == nil and "" or quoted(old) .. " → "
      add(notes, "~", "%s %s%s", field, from, quoted(new))
    end
  end
  if body.domains then
    add_domains(notes, before.domains, body.domains)
  end
end

-- The fields of a widget in one line.
local function widget_text(widget)
  local parts = {}
  for _, field in ipairs(FIELDS) do
    local value = widget[field]
    if value and value ~= "world" and value ~= "no_clearance" then -- what all have goes unsaid
      parts[#parts + 1] = value == true and field or field .. " " .. quoted(value)
    end
  end
  local domains = widget.domains or {}
  parts[#parts + 1] = #domains > 0 and "domains " .. table.concat(domains, " ") or "any hostname"
  return table.concat(parts, ", ")
end

local describe = {}

function describe.create(notes, row)
  add(notes, "+", "%s", widget_text(row.body))
end

describe.update = update_notes

function describe.delete(notes, row)
  local widget = row.before or row.after
  if widget then
    add(notes, "-", "%s", widget_text(widget))
  end
end

function describe.rotate(notes, row)
  add(notes, "~", "the old secret %s", row.body and row.body.invalidate_immediately
    and "ends at once" or "stays valid for two hours")
end

function describe.write(notes, row)
  add(notes, ">", "%s", row.body.path)
end

function describe.pipe(notes, row)
  add(notes, ">", "%s", table.concat(row.body.command, " "))
end

-- "widget not found (HTTP 404, CF-Ray 8f...)"
local function error_text(row)
  local facts = {}
  if row.status and row.status ~= 200 then
    facts[#facts + 1] = "HTTP " .. row.status
  end
  if row.ray then
    facts[#facts + 1] = "CF-Ray " .. row.ray
  end
  if row.attempts and row.attempts > 1 then
    facts[#facts + 1] = row.attempts .. " attempts"
  end
  return row.error .. (#facts > 0 and " (" .. table.concat(facts, ", ") .. ")" or "")
end

---@param row table of tshost.journal's operations
---@return { mark: string, text: string }[] notes
function operation_notes.of(row)
  local notes = {}
  describe[row.op](notes, row)
  if row.error then
    add(notes, "!", "%s", error_text(row))
  end
  if row.forgiven then
    add(notes, "", "forgiven: %s", row.forgiven)
  end
  return notes
end

return operation_notes
