-- SPDX-License-Identifier: MIT
-- Tenants out of a CSV file, checked to the last cell before anything is done with the first.
-- Columns: name, domains (separated by spaces or semicolons), and any of OPTIONAL.
local csv = require "csv"
local limits = require "limits"

local tenant_file = {}

---@class tenant
---@field name string
---@field line integer where it stands in the file
---@field fields table what widgets.create takes

local TEXTS = { "mode", "clearance_level", "region" }
local FLAGS = { "bot_fight_mode", "ephemeral_id", "offlabel" }
local OPTIONAL = {
  "mode", "clearance_level", "region", "bot_fight_mode", "ephemeral_id", "offlabel",
}

-- The domains of a cell as the API keeps them, each once.
local function read_domains(cell, complain)
  local domains, seen = {}, {}
  for word in cell:gmatch "[^%s;]+" do
    local domain, problem = limits.domain(word)
    if not domain then
      complain(problem)
    elseif not seen[domain] then
      seen[domain] = true
      domains[#domains + 1] = domain
    end
  end
  if not cell:find "[^%s;]" then
    complain "no domains"
  end
  return domains
end

-- The fields of a new widget; empty cells leave them to the defaults.
local function read_fields(row, mode, complain)
  local fields = { name = row.name, domains = read_domains(row.domains, complain), mode = mode }
  local ok, problem = limits.text("name", row.name)
  if not ok then
    complain(problem)
  end
  for _, field in ipairs(TEXTS) do
    if (row[field] or "") ~= "" then
      ok, problem = limits.text(field, row[field])
      fields[field] = row[field]
      if not ok then
        complain(problem)
      end
    end
  end
  for _, field in ipairs(FLAGS) do
    if (row[field] or "") ~= "" then
      fields[field] = row[field] == "true"
      if row[field] ~= "true" and row[field] ~= "false" then
        complain(field .. " must be true or false")
      end
    end
  end
  return fields
end

---Reads all tenants. Raises when the file cannot be read or is no CSV.
---@param path string "-" for standard input
---@param mode string for tenants whose row names none
---@return tenant[] tenants in the order of the file
---@return string[] complaints "tenants.csv:7: ...", empty when all is well
function tenant_file.read(path, mode)
  local tenants, complaints, lines = {}, {}, {}
  for row, line in csv.open(path, { required = { "name", "domains" }, known = OPTIONAL }) do
    local function complain(problem)
      complaints[#complaints + 1] = ("%s:%d: %s"):format(path, line, problem)
    end
    if lines[row.name] then
      complain(("the tenant of line %d again"):format(lines[row.name]))
    end
    lines[row.name] = lines[row.name] or line
    tenants[#tenants + 1] = {
      name = row.name,
      line = line,
      fields = read_fields(row, mode, complain),
    }
  end
  return tenants, complaints
end

return tenant_file
