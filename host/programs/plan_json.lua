-- SPDX-License-Identifier: MIT
-- The plan file: JSON with members in a given order and one step a line, so that plans can be read
-- and compared.
local cjson = require "cjson"
local fields = require "tshost.program.plan_fields"
local lx = require "tshost.lx"

local LISTS = {
  arguments = true, command = true, directories = true, domains = true, remarks = true,
  steps = true,
}
local MEMBERS = {
  "format", "version", "tshost", "plan", "created", "account", "base_url", "script", "sha256",
  "arguments", "directory", "counts", "requests", "options", "directories", "remarks",
}
local STEP = {
  "op", "new", "sitekey", "name", "saw", "set", "invalidate_immediately", "path", "replace",
  "command", "timeout", "place",
}
local REMARK = { "place", "text", "count" }
local COUNTS = { "create", "update", "delete", "rotate", "write", "pipe", "any-hostname" }
local ORDERS = { saw = fields, set = fields, counts = COUNTS }

local object

-- cjson writes a slash as "\\/", which is allowed and hard to read, and lets through bytes that are no
-- UTF-8, which are not: an argument or the name of a file may hold them.
local function scalar(value)
  if type(value) == "string" and not utf8.len(value) then
    value = lx.clean(value)
  end
  local text = cjson.encode(value):gsub("\\(.)", { ["/"] = "/" })
  return text
end

local function encode(name, value)
  if LISTS[name] then
    local items = {}
    for i, item in ipairs(value) do
      items[i] = scalar(item)
    end
    return "[" .. table.concat(items, ",") .. "]"
  end
  return ORDERS[name] and object(ORDERS[name], value) or scalar(value)
end

function object(order, value)
  local members = {}
  for _, name in ipairs(order) do
    if value[name] ~= nil then
      members[#members + 1] = scalar(name) .. ":" .. encode(name, value[name])
    end
  end
  return "{" .. table.concat(members, ",") .. "}"
end

local function rows(order, list)
  local items = {}
  for i, item in ipairs(list) do
    items[i] = "\n  " .. object(order, item)
  end
  return "[" .. table.concat(items, ",") .. (#items > 0 and "\n" or "") .. "]"
end

---The plan file: one step a line. It begins as plan_file.h expects it.
---@param self table of plan.make
---@return string
local function render(self)
  self.format, self.version = "tshost plan", 1
  local parts = {}
  for _, name in ipairs(MEMBERS) do
    local value = self[name]
    if name == "remarks" then
      parts[#parts + 1] = '"remarks":' .. rows(REMARK, value)
    elseif value ~= nil then
      parts[#parts + 1] = scalar(name) .. ":" .. encode(name, value)
    end
  end
  parts[#parts + 1] = '"steps":' .. rows(STEP, self.steps)
  return "{" .. table.concat(parts, ",\n") .. "}\n"
end

return render
