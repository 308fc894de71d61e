-- SPDX-License-Identifier: MIT
-- One run: what it was, and each of its operations.
local cjson = require "cjson"
local human = require "human"
local journal = require "tshost.journal"
local lx = require "tshost.lx"
local operation_notes = require "tshost.program.operation_notes"
local text_table = require "text_table"
local timestamp = require "timestamp"

local log_run = {}

local TITLES = { "#", "operation", "outcome", "sitekey", "name", "place" }
local OUTCOMES = { not_applied = "not applied", unknown = "in doubt", intent = "in doubt" }

local function moment(text)
  return text and timestamp.show(timestamp.parse(text)) or "-"
end

local function line(label, format, ...)
  io.write(lx.clean(("%-10s"):format(label) .. format:format(...)), "\n")
end

local function command_line(run)
  local words = { run.script or "" }
  for _, word in ipairs(run.arguments or {}) do
    local is_plain = word:find "^[%w%%+,./:=@_-]+$"
    words[#words + 1] = is_plain and word or ("'%s'"):format(word:gsub("'", "'\\''"))
  end
  return table.concat(words, " ")
end

local function seconds(text)
  return timestamp.parse(text) + (tonumber(text:match "%.%d+") or 0)
end

local function duration(run)
  local spent = run.ended and math.max(seconds(run.ended) - seconds(run.started), 0)
  return spent and (", after %s"):format(human.duration(spent)) or ""
end

local function print_head(run)
  line("run", "%s (%s%s)", run.run, run.command, run.of and " of " .. run.of or "")
  if run.script then
    line("script", "%s", command_line(run))
  end
  line("account", "%s at %s", run.account or "-", run.base_url or "-")
  line("by", "%s on %s, process %d, tshost %s", run.user or "-", run.host or "-", run.pid,
    run.version or "-")
  line("started", "%s", moment(run.started))
  line("status", "%s%s%s", run.status, run.exit and (" (exit %d)"):format(run.exit) or "",
    duration(run))
end

-- How the operations of a run that goes on are called that have no answer yet.
local function outcome_of(row, run)
  if row.state == "intent" and run.status == "running" then
    return "under way"
  end
  return OUTCOMES[row.state] or row.state
end

local function name_of(row)
  local widget = row.after or row.before or row.body or {}
  return row.name or widget.name or ""
end

-- What is to be typed next, if anything.
local function advice(run)
  if run.in_doubt > 0 then
    return ("%d in doubt: tshost resume %s finds out what became of them, and goes on"):format(
      run.in_doubt, run.run)
  elseif run.status == "killed" then
    return ("it was killed: tshost resume %s goes on with it"):format(run.run)
  elseif run.done > 0 and run.status ~= "running" then
    return ("tshost undo %s --dry-run shows how it would be taken back"):format(run.run)
  end
end

local function is_wanted(row, only_failed)
  return not only_failed or row.state ~= "done"
end

---@param id string
---@param only_failed boolean
function log_run.print(id, only_failed)
  local run = journal.runs(id)()
  local rows, notes, number = {}, { [0] = {} }, 0
  for row in journal.operations(id) do
    number = number + 1
    if is_wanted(row, only_failed) then
      rows[#rows + 1] = {
        tostring(number), row.op, outcome_of(row, run), row.sitekey or "", name_of(row),
        row.place and row.place:match "[^/]*$" or "",
      }
      notes[#rows] = operation_notes.of(row)
    end
  end
  print_head(run)
  for resumed in journal.chain(id) do
    if resumed.of == id then
      line("resumed", "by %s: %s", resumed.run, resumed.status)
    end
  end
  io.write "\n"
  if #rows > 0 then
    io.write(text_table.render(TITLES, rows, notes))
  else
    print(only_failed and "No operation failed." or "No operation was begun.")
  end
  local next_step = advice(run)
  if next_step then
    print("\n" .. next_step)
  end
end

---The operations, one JSON object a line.
---@param id string
---@param only_failed boolean
function log_run.print_json(id, only_failed)
  for text in journal.operations(id, true) do
    if is_wanted(cjson.decode(text), only_failed) then
      print(text)
    end
  end
end

return log_run
