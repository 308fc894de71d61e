-- SPDX-License-Identifier: MIT
-- Brings the widgets of an account back to a snapshot: sets back what was changed and makes anew what
-- was deleted. May be run again at any time. To see what it would do: tshost plan restore.lua FILE.
local log = require "log"
local report = require "report"
local restore_plan = require "restore_plan"
local snapshot_file = require "snapshot_file"
local task = require "task"
local turnstile = require "turnstile"
local usage = require "usage"

local widgets = turnstile.widgets

local parser = usage.parser("tshost restore.lua", "Brings the widgets of an account back to a "
  .. "snapshot. Deleted ones come back with new sitekeys and secrets; others are left alone.")
parser:argument("snapshot", "As snapshot.lua makes them."):argname("SNAPSHOT")
parser:option("--format", "What is printed.", "table"):choices(report.formats)
local args = parser:parse(arg)

local COLUMNS = { "sitekey", "result", "name", "new_sitekey", "reason" }
local BENEATH = { reason = "" }
local CANNOT_READ, FINDINGS = 1, 3

local snapshot, problem = snapshot_file.read(args.snapshot)
if not snapshot then
  io.stderr:write("tshost restore.lua: ", problem, "\n")
  os.exit(CANNOT_READ)
end

local entries, extra = restore_plan.pair(snapshot, widgets.all())

-- Brings one widget back; how that went is put into its row.
local function restore(entry)
  local row, live = entry.row, entry.live
  row.result = "under way" -- what stays when the run is stopped
  local widget, err
  if live then
    widget, err = widgets.update(live, restore_plan.changes(entry.wanted))
    row.result = widget == live and "unchanged" or "set back"
  else
    widget, err = widgets.create(restore_plan.fields(entry.wanted))
    row.result = "made anew"
  end
  if not widget then
    row.result = err.outcome == "unknown" and "unknown" or "failed"
    row.reason = err.message
  elseif widget.sitekey ~= row.sitekey then
    row.new_sitekey = widget.sitekey
  end
  return widget, err -- for the count of failures in the progress
end

local jobs, rows, findings = {}, {}, 0
for _, entry in ipairs(entries) do
  entry.row = { sitekey = entry.wanted.sitekey, name = entry.wanted.name, result = "not done" }
  if entry.obstacle then
    entry.row.result, entry.row.reason = "ambiguous", entry.obstacle
    findings = findings + 1
  else
    jobs[#jobs + 1] = entry
  end
end
do
  -- Printed whatever ends the work, so that it is known how far it came.
  local _ <close> = setmetatable({}, { __close = function()
    for _, entry in ipairs(entries) do
      if entry.row.result ~= "unchanged" then
        rows[#rows + 1] = entry.row
      end
    end
    for _, widget in ipairs(extra) do
      rows[#rows + 1] = { sitekey = widget.sitekey, name = widget.name, result = "left alone",
        reason = "it is not in the snapshot" }
    end
    report.print(args.format, COLUMNS, rows, BENEATH)
  end })
  task.each(jobs, restore, { progress = "Restoring" })
end
log.note(("%d of %d widgets were as in the snapshot"):format(#entries + #extra - #rows, #entries))
if findings > 0 then
  os.exit(FINDINGS)
end
