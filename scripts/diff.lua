-- SPDX-License-Identifier: MIT
-- What is different between two snapshots, or between a snapshot and the account as it is.
local log = require "log"
local report = require "report"
local snapshot_diff = require "snapshot_diff"
local snapshot_file = require "snapshot_file"
local turnstile = require "turnstile"
local usage = require "usage"

local parser = usage.parser("tshost diff.lua", "Tells what is different between two snapshots, or "
  .. "between a snapshot and the account as it is.")
parser:argument("old", "Snapshot, as snapshot.lua makes them."):argname("OLD")
parser:argument("new", "Another one; without it, the account."):argname("NEW"):args("?")
parser:option("--format", "What is printed.", "table"):choices(report.formats)
local args = parser:parse(arg)

local COLUMNS = { "sitekey", "change", "name", "added", "removed", "fields" }
local BENEATH = { added = "+", removed = "-", fields = "~" }
local CANNOT_READ, DIFFERENT = 1, 3

local function read(path)
  local widgets, problem = snapshot_file.read(path)
  if not widgets then
    io.stderr:write("tshost diff.lua: ", problem, "\n")
    os.exit(CANNOT_READ)
  end
  return widgets
end

local old = read(args.old)
local rows = snapshot_diff.compare(old, args.new and read(args.new) or turnstile.widgets.all())
report.print(args.format, COLUMNS, rows, BENEATH)
log.note(#rows == 1 and "1 widget differs" or ("%d widgets differ"):format(#rows))
if #rows > 0 then
  os.exit(DIFFERENT)
end
