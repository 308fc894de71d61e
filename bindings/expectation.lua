-- SPDX-License-Identifier: MIT
-- What a plan saw of a widget, held against the widget as it is. Domains are a set. A field that one
-- of the two lacks tells nothing: lists leave some out that a single widget has.
local expectation = {}

local SHOWN = 3 -- domains that a message names
local TEXT = 60 -- bytes of a value in it

local function set_of(domains)
  local set = {}
  for _, domain in ipairs(domains) do
    set[type(domain) == "string" and domain:lower() or domain] = true
  end
  return set
end

-- What the first set has and the second has not, in order.
local function missing(first, second)
  local names = {}
  for domain in pairs(first) do
    if not second[domain] then
      names[#names + 1] = tostring(domain)
    end
  end
  table.sort(names)
  return names
end

---Whether two values of a field mean the same.
function expectation.is_same(one, other)
  if type(one) ~= "table" or type(other) ~= "table" then
    return one == other
  end
  local ours, theirs = set_of(one), set_of(other)
  return #missing(ours, theirs) == 0 and #missing(theirs, ours) == 0
end

-- Not cjson's null, nor what is not there.
local function is_value(value)
  return value ~= nil and type(value) ~= "userdata"
end

---@param expect table<string, any> fields
---@param live table the widget, or fields of it
---@return string[]? names of the fields that differ, in order; nil when none does
function expectation.differing(expect, live)
  local names = {}
  for name, value in pairs(expect) do
    if is_value(value) and is_value(live[name]) and not expectation.is_same(value, live[name]) then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names[1] and names or nil
end

local function quoted(value)
  local text = tostring(value)
  text = #text > TEXT and text:sub(1, TEXT) .. "..." or text
  return type(value) == "string" and '"' .. text .. '"' or text
end

local function listed(names)
  local more = #names > SHOWN and (" and %d more"):format(#names - SHOWN) or ""
  return table.concat(names, ", ", 1, math.min(#names, SHOWN)) .. more
end

local function domains_told(expected, actual)
  local ours, theirs = set_of(expected), set_of(actual)
  local gone, come = missing(ours, theirs), missing(theirs, ours)
  local parts = {}
  if #gone > 0 then
    parts[#parts + 1] = "no longer has " .. listed(gone)
  end
  if #come > 0 then
    parts[#parts + 1] = "now has " .. listed(come)
  end
  return "`domains` " .. table.concat(parts, " and ")
end

---The differences in one line: "`mode` is "invisible", expected "managed"".
---@param names string[] of expectation.differing
---@return string
function expectation.told(names, expect, live)
  local parts = {}
  for i, name in ipairs(names) do
    local expected, actual = expect[name], live[name]
    if type(expected) == "table" and type(actual) == "table" then
      parts[i] = domains_told(expected, actual)
    else
      parts[i] = ("`%s` is %s, expected %s"):format(name, quoted(actual), quoted(expected))
    end
  end
  return table.concat(parts, "; ")
end

return expectation
