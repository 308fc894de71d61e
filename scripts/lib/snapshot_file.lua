-- SPDX-License-Identifier: MIT
-- A dump of an account's widgets as JSON: the same text for the same fleet, a widget a line, so that
-- any tool compares two of them.
local cjson = require "cjson"

local snapshot_file = {}

local FORMAT, VERSION = "tshost snapshot", 1
local LONGEST = 64 << 20 -- bytes, as cjson.decode has it; a fleet of 100,000 widgets takes 50 MB
-- In this order; what the service adds later follows by name.
local FIELDS = {
  "sitekey", "name", "domains", "mode", "region", "clearance_level", "bot_fight_mode", "ephemeral_id",
  "offlabel", "created_on", "modified_on",
}
local PLACES = {}
for i, field in ipairs(FIELDS) do
  PLACES[field] = i
end

-- Domains are a set. The service returns them in the order in which they were written.
local function sorted(domains)
  local copy = table.move(domains, 1, #domains, 1, {})
  table.sort(copy)
  return copy
end

local function encode_widget(widget)
  local names, parts = {}, {}
  for name in pairs(widget) do
    if name ~= "secret" then
      names[#names + 1] = name
    end
  end
  table.sort(names, function(a, b)
    local first, second = PLACES[a] or #FIELDS + 1, PLACES[b] or #FIELDS + 1
    if first ~= second then
      return first < second
    end
    return a < b
  end)
  for i, name in ipairs(names) do
    local value = widget[name]
    if name == "domains" and type(value) == "table" then
      value = sorted(value)
    end
    parts[i] = cjson.encode({ [name] = value }):sub(2, -2) -- without the braces
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

---The text of a snapshot. Secrets are left out.
---@param widgets turnstile.widget[] of the whole account, in any order, which is changed
---@return string text ends in a newline
function snapshot_file.encode(widgets)
  local lines = {}
  table.sort(widgets, function(a, b)
    return a.sitekey < b.sitekey
  end)
  for i, widget in ipairs(widgets) do
    lines[i] = encode_widget(widget)
  end
  local head = ('{"format":%s,"version":%d,"widgets":['):format(cjson.encode(FORMAT), VERSION)
  return head .. (#lines > 0 and "\n" or "") .. table.concat(lines, ",\n") .. "\n]}\n"
end

-- Whether that is a list of texts, which can be sorted and compared.
local function is_texts(value)
  if type(value) ~= "table" then
    return false
  end
  for key, item in pairs(value) do
    if math.type(key) ~= "integer" or type(item) ~= "string" then
      return false
    end
  end
  return true
end

-- Why that is no snapshot; nil: it is one.
local function complaint(value)
  if type(value) ~= "table" or value.format ~= FORMAT or type(value.widgets) ~= "table" then
    return "this is no snapshot of tshost"
  elseif value.version ~= VERSION then
    return ("this snapshot is of version %s, and this tshost reads version %d"):format(
      tostring(value.version), VERSION)
  end
  local seen = {}
  for i, widget in ipairs(value.widgets) do
    local sitekey = type(widget) == "table" and widget.sitekey
    if type(sitekey) ~= "string" or type(widget.name) ~= "string" or not is_texts(widget.domains) then
      return ("widget %d has no sitekey, name or domains"):format(i)
    elseif seen[sitekey] then
      return ("%s is there twice"):format(sitekey)
    end
    seen[sitekey] = true
  end
end

---The widgets of a snapshot.
---@param text string
---@return turnstile.widget[]? widgets sorted by sitekey if nobody has edited the file
---@return string? problem without the file's name
function snapshot_file.decode(text)
  local is_json, value = pcall(cjson.decode, text)
  if not is_json then
    return nil, "this is no JSON: " .. tostring(value)
  end
  local problem = complaint(value)
  if problem then
    return nil, problem
  end
  return value.widgets
end

---The widgets of the snapshot in a file.
---@param path string
---@return turnstile.widget[]? widgets
---@return string? problem names the file
function snapshot_file.read(path)
  local file, problem = io.open(path, "rb")
  if not file then
    return nil, problem
  end
  local text, reason = file:read(LONGEST + 1)
  file:close()
  local widgets
  if text and #text > LONGEST then
    reason = "this is longer than 64 MiB, and no snapshot"
  elseif text or not reason then
    text = text or "" -- of an empty file
    widgets, reason = snapshot_file.decode(text)
  end
  return widgets, not widgets and ("%s: %s"):format(path, reason) or nil
end

---Writes a file as a whole or not at all.
---@param path string
---@param text string
---@return true? is_written
---@return string? problem names the file
function snapshot_file.write(path, text)
  local scratch = ("%s.%x.new"):format(path, math.random(0)) -- others may write the same file
  local file, problem = io.open(scratch, "wb")
  local is_written = file
  if file then
    is_written, problem = file:write(text)
    local is_closed, reason = file:close()
    if is_written and not is_closed then
      is_written, problem = nil, reason
    end
  end
  if is_written then
    is_written, problem = os.rename(scratch, path)
  end
  if not is_written then
    os.remove(scratch)
    return nil, ("%s: %s"):format(path, problem)
  end
  return true
end

return snapshot_file
