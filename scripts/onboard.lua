-- SPDX-License-Identifier: MIT
-- One widget per tenant of a CSV file, and its secret in a file of its own. May be run again at any
-- time: what is there stays, what is missing is made.
local file_name = require "file_name"
local fs = require "fs"
local report = require "report"
local task = require "task"
local tenant_file = require "tenant_file"
local turnstile = require "turnstile"
local usage = require "usage"

local widgets = turnstile.widgets

local parser = usage.parser("tshost onboard.lua", "Makes one widget per tenant of a CSV file.")
parser:argument("tenants", "CSV file with the columns name and domains (separated by spaces or "
  .. "semicolons), and perhaps mode, clearance_level, region, bot_fight_mode, ephemeral_id, "
  .. "offlabel; - for standard input.")
parser:option("--secrets-dir", "Where each secret goes, one file per tenant; made if missing.")
  :argname("DIR"):count(1)
parser:option("--mode", "For tenants whose row names none.", "managed")
  :choices { "managed", "non-interactive", "invisible" }
parser:option("--format", "What is printed.", "table"):choices(report.formats)
local args = parser:parse(arg)

local COLUMNS = { "tenant", "sitekey", "result", "secret_file", "reason" }
local FINDINGS = 3

-- The widgets that tenants have already, by name; names need not be unique.
local function find_existing(tenants)
  local existing = {}
  for _, tenant in ipairs(tenants) do
    existing[tenant.name] = {}
  end
  for widget in widgets.list { order = "created_on" } do
    local found = existing[widget.name]
    if found then
      found[#found + 1] = widget
    end
  end
  return existing
end

local function missing_domains(widget, wanted)
  local present, missing = {}, {}
  for _, domain in ipairs(widget.domains) do
    present[domain] = true
  end
  for _, domain in ipairs(wanted) do
    if not present[domain] then
      missing[#missing + 1] = domain
    end
  end
  return missing
end

-- Why nothing may be done for this tenant, or nil.
local function find_obstacle(tenant, found, has_secret)
  if #found > 1 then
    local sitekeys = {}
    for i, widget in ipairs(found) do
      sitekeys[i] = widget.sitekey
    end
    return "duplicate", "widgets of this name: " .. table.concat(sitekeys, ", ")
  end
  if #found == 0 and has_secret then
    -- The secret of a widget that is gone. Beside a new widget nobody could tell any more.
    return "failed", tenant.secret_file .. " is there, but no widget of this name; move it away"
  end
end

-- The tenant's widget and what was done to it, or nil and why not.
local function ensure_widget(tenant, widget)
  local err
  if not widget then
    widget, err = widgets.create(tenant.fields)
    return widget, widget and "created" or err
  end
  local missing = missing_domains(widget, tenant.fields.domains)
  if #missing == 0 then
    return widget, "unchanged"
  end
  widget, err = widgets.update(widget, { domains = { add = missing } })
  return widget, widget and "updated" or err
end

-- A widget out of a list has no secret and is read again.
local function write_secret(tenant, widget)
  local err
  if not widget.secret then
    widget, err = widgets.get(widget.sitekey)
    if not widget then
      return nil, err
    end
  end
  return widget.secret:write(tenant.secret_file)
end

-- Onboards one tenant; how that went is put into its row.
local function onboard(tenant, row, found)
  row.result = "under way" -- what stays when the run is stopped
  local has_secret, problem = fs.is_file(tenant.secret_file)
  if has_secret == nil then
    row.result, row.reason = "failed", problem
    return
  end
  local obstacle, reason = find_obstacle(tenant, found, has_secret)
  if obstacle then
    row.result, row.reason = obstacle, reason
    return
  end
  local widget, result = ensure_widget(tenant, found[1])
  if not widget then
    row.result, row.reason = "failed", tostring(result)
    return
  end
  row.sitekey = widget.sitekey
  local ok, err = has_secret, nil
  if not has_secret then
    ok, err = write_secret(tenant, widget)
  end
  if ok then
    row.result, row.secret_file = result, tenant.secret_file
  else
    row.result, row.reason = "failed", ("%s, but no secret: %s"):format(result, err)
  end
end

local tenants, complaints = tenant_file.read(args.tenants, args.mode)
if #complaints > 0 then
  io.stderr:write(table.concat(complaints, "\n"), "\n")
  os.exit(1)
end
local is_made, problem = fs.mkdir(args.secrets_dir)
if not is_made then
  parser:error(problem)
end

local existing = find_existing(tenants)
local rows, files = {}, {}
for i, tenant in ipairs(tenants) do
  local file = args.secrets_dir:gsub("(.)/+$", "%1") .. "/" .. file_name.of(tenant.name)
  assert(not files[file], "two tenants would share the file " .. file)
  files[file] = true
  tenant.secret_file = file
  rows[i] = { tenant = tenant.name, result = "not done" }
end
do
  -- Printed whatever ends the work, so that it is known how far it came.
  local _ <close> = setmetatable({}, { __close = function()
    report.print(args.format, COLUMNS, rows)
  end })
  task.each(tenants, function(tenant, i)
    onboard(tenant, rows[i], existing[tenant.name])
  end, { progress = "Onboarding" })
end
for _, row in ipairs(rows) do
  if row.result == "failed" or row.result == "duplicate" then
    os.exit(FINDINGS)
  end
end
