-- SPDX-License-Identifier: MIT
-- What runs have done, as the journal has it: the runs, one of them, or whether it is sound.
local human = require "human"
local journal = require "tshost.journal"
local log_run = require "tshost.program.log_run"
local text_table = require "text_table"
local timestamp = require "timestamp"

local FINDINGS, USAGE = 3, 2
local TITLES = { "run", "started", "command", "status", "done", "failed", "in doubt", "script" }

local function fail(status, message)
  io.stderr:write("tshost: ", message, "\n")
  os.exit(status)
end

-- The last part of a path.
local function base(path)
  return path:match "([^/]+)/*$" or path
end

-- Figures that are 0 are left out, for the eye to find the others.
local function figure(number)
  return number > 0 and human.count(number) or ""
end

local function print_runs(limit)
  local rows, others = {}, 0
  for run in journal.runs() do
    if limit == 0 or #rows < limit then
      rows[#rows + 1] = {
        run.run,
        timestamp.show(timestamp.parse(run.started)),
        run.command,
        run.status,
        figure(run.done),
        figure(run.not_applied + run.refused + run.stale),
        figure(run.in_doubt),
        run.script and base(run.script) or "",
      }
    else
      others = others + 1
    end
  end
  if #rows == 0 then
    print "No run has written anything yet."
    return
  end
  io.write(text_table.render(TITLES, rows))
  if others > 0 then
    print(("%s older ones: --limit 0 shows all"):format(human.count(others)))
  end
end

local function print_runs_json(limit)
  local count = 0
  for line in journal.runs(nil, true) do
    count = count + 1
    if limit > 0 and count > limit then
      return
    end
    print(line)
  end
end

local actions = {}

function actions.list(format, limit)
  if format == "json" then
    print_runs_json(math.tointeger(limit))
  else
    print_runs(math.tointeger(limit))
  end
end

function actions.run(format, _, filter, name)
  local id, problem = journal.find(name)
  if not id then
    fail(USAGE, problem)
  end
  local print_as = format == "json" and log_run.print_json or log_run.print
  print_as(id, filter == "failed")
end

function actions.verify()
  local count = 0
  for finding in journal.verify() do
    print(finding)
    count = count + 1
  end
  if count > 0 then
    os.exit(FINDINGS)
  end
  print(journal.path() .. " is sound")
end

-- `age` is in seconds.
function actions.prune(_, _, _, age)
  local before = os.time() + 1 - math.tointeger(age) -- the clock here has whole seconds
  local count = journal.prune(before * 1000000)
  print(("%s run%s removed that had ended before %s; runs with an operation in doubt stay"):format(
    human.count(count), count == 1 and "" or "s", timestamp.format(before)))
end

---@param action "list"|"run"|"verify"|"prune"
---@param format "text"|"json"
---@param limit string how many runs the list has, 0: all
---@param filter "all"|"failed"
---@param what string the run, or an age in seconds
return function(action, format, limit, filter, what)
  actions[action](format, limit, filter, what)
end
