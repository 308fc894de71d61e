-- SPDX-License-Identifier: MIT
-- Takes back what a run has done, as far as nobody has changed it since. An undo is a run with a
-- plan: it can be resumed and undone.
local cjson = require "cjson"
local journal = require "tshost.journal"
local log = require "log"
local lx = require "tshost.lx"
local plan_text = require "tshost.program.plan_text"
local run = require "tshost.run"
local steps = require "tshost.program.steps"
local steps_look = require "tshost.program.steps_look"
local task = require "task"
local turnstile = require "turnstile"
local undo_plan = require "tshost.program.undo_plan"

local FINDINGS, REFUSED, LOCKED, UNKNOWN = 3, 5, 7, 10

-- The operations of the run and of its resumes, in their order.
local function read_operations(id)
  local rows = {}
  for one in journal.chain(id) do
    if one.status == "running" and run.is_here(one.host) then
      run.fail(LOCKED, ("run %s goes on (pid %d); it can be undone when it has ended"):format(
        one.run, one.pid or 0))
    end
    for row in journal.operations(one.run) do
      rows[#rows + 1] = row
    end
  end
  table.sort(rows, function(a, b) return a.operation < b.operation end)
  return rows
end

-- The runs that have undone it before.
local function undone_by(id)
  for one in journal.runs() do
    if one.command == "undo" and one.of == id then
      return one.run
    end
  end
end

local function clients()
  local known = {}
  return function(account)
    local name = account or ""
    if not known[name] then
      known[name] = (not account or account == run.account()) and turnstile.widgets
        or turnstile.client { account_id = account }.widgets
    end
    return known[name]
  end
end

-- The widgets as they are now, by sitekey; those that are gone are missing.
local function read_live(widgets)
  local wanted = {}
  for _, widget in ipairs(widgets) do
    if undo_plan.needs_live(widget) then
      wanted[#wanted + 1] = { op = "update", sitekey = widget.sitekey, account = widget.account }
    end
  end
  local rows, client_of = steps_look.read(wanted).rows, clients()
  local left = {}
  for _, item in ipairs(wanted) do
    if not rows[item.sitekey] then
      left[#left + 1] = item
    end
  end
  local concurrency = run.settings()
  task.each(left, function(item)
    local live, err = client_of(item.account).get(item.sitekey)
    if not live and not (err.kind == "api" and err.status == 404) then
      error(err, 0)
    end
    rows[item.sitekey] = live
  end, { concurrency = concurrency })
  return rows
end

---@class undo.outcome
---@field steps steps.step[]
---@field conflicts { widget: undo_plan.widget, why: string }[]
---@field lost { widget: undo_plan.widget, why: string }[]
---@field deliveries table[]
---@field rows table<string, table>

local function prepare(rows)
  local widgets, deliveries = undo_plan.fold(rows)
  local live = read_live(widgets)
  local outcome = {
    steps = {}, conflicts = {}, lost = {}, deliveries = deliveries, rows = live,
  }
  for _, widget in ipairs(widgets) do
    if undo_plan.needs_live(widget) then
      local step, why = undo_plan.step(widget, live[widget.sitekey])
      outcome.steps[#outcome.steps + 1] = step
      if why then
        table.insert(outcome.conflicts, { widget = widget, why = why })
      end
    end
    for _, why in ipairs(undo_plan.lost(widget)) do
      table.insert(outcome.lost, { widget = widget, why = why })
    end
  end
  return outcome
end

local function named(widget)
  local name = widget.name and (' "%s"'):format(widget.name) or ""
  return lx.clean(widget.sitekey .. name)
end

local function add_list(lines, title, items)
  if #items > 0 then
    lines[#lines + 1] = title
  end
  for _, item in ipairs(items) do
    lines[#lines + 1] = ("  %s: %s"):format(named(item.widget), lx.clean(item.why))
  end
end

-- What is not taken back, for people.
local function rest_lines(outcome)
  local lines = {}
  add_list(lines, "Conflicts, left as they are:", outcome.conflicts)
  add_list(lines, "Can not be undone:", outcome.lost)
  for _, row in ipairs(outcome.deliveries) do
    local where = row.op == "write" and row.body.path or row.body.command[1]
    lines[#lines + 1] = lx.clean(("The secret of %s stays in %s"):format(row.sitekey or "?", where))
  end
  return lines
end

local function counts_of(list)
  local counts = {}
  for _, step in ipairs(list) do
    counts[step.op] = (counts[step.op] or 0) + 1
  end
  return counts
end

local function show(outcome)
  local needs = steps.needs(outcome.steps)
  local shown = {}
  for i, step in ipairs(outcome.steps) do
    shown[i] = setmetatable({ place = "" }, { __index = step })
  end
  io.write(plan_text {
    title = "Undo",
    steps = shown,
    counts = counts_of(outcome.steps),
    requests = 2 * #outcome.steps,
    seconds = #outcome.steps > 0 and turnstile.estimate(2 * #outcome.steps) or 0,
    account = run.account(),
    options = run.options(needs),
    directories = {},
    remarks = {},
  })
  for _, line in ipairs(rest_lines(outcome)) do
    print(line)
  end
end

local function say_nothing_to_do(id, outcome)
  local before = undone_by(id)
  local why = before and (", which run %s has undone"):format(before) or ""
  if #outcome.conflicts == 0 then
    log.note(("tshost: there is nothing to undo of run %s%s"):format(id, why))
  end
end

local function carry_out(id, outcome)
  run.begin { of = id, plan = cjson.encode(outcome.steps) }
  local client_of = clients()
  for _, conflict in ipairs(outcome.conflicts) do
    local widget = conflict.widget
    run.writes(client_of(widget.account)).refuse(widget.is_created and "delete" or "update",
      widget.sitekey, conflict.why .. "; it was left as it is")
  end
  local result = steps.run(outcome.steps, {
    found = { rows = outcome.rows, twins = {} },
    on_stale = "skip",
    label = "Undoing",
  })
  steps.warn_rest(outcome.steps, result.rest)
end

---@param id string of the first run of a chain
---@param mode "do"|"show"
return function(id, mode)
  local rows = read_operations(id)
  local _, _, doubts = undo_plan.fold(rows)
  if #doubts > 0 then
    run.fail(UNKNOWN, ("it is not known what came of %d operation%s of run %s; tshost resume %s "
      .. "settles that first"):format(#doubts, #doubts == 1 and "" or "s", id, id))
  end
  local outcome = prepare(rows)
  if mode == "show" then
    show(outcome)
    return #outcome.steps > 0 and os.exit(FINDINGS) or nil
  end
  local shortage = run.shortage(steps.needs(outcome.steps))
  if shortage then
    run.fail(REFUSED, ("undo of run %s: %s"):format(id, shortage))
  end
  for _, line in ipairs(rest_lines(outcome)) do
    log.note(line)
  end
  if #outcome.steps == 0 then
    say_nothing_to_do(id, outcome)
  end
  if #outcome.steps + #outcome.conflicts > 0 then
    carry_out(id, outcome)
  end
end
