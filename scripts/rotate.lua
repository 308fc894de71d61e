-- SPDX-License-Identifier: MIT
-- Rotates the secrets of a selection of widgets, one after the other: each new secret is where it
-- belongs before the next widget is touched. The old ones stay valid for two hours.
local delivery = require "delivery"
local log = require "log"
local report = require "report"
local rotation_plan = require "rotation_plan"
local selection = require "selection"
local task = require "task"
local timestamp = require "timestamp"
local turnstile = require "turnstile"
local usage = require "usage"

local widgets = turnstile.widgets

local parser = usage.parser("tshost --allow rotate rotate.lua",
  "Rotates the secrets of many widgets and delivers the new ones.")
selection.add_options(parser)
delivery.add_options(parser)
parser:flag("--invalidate-immediately", "For secrets that leaked: the old ones are refused at once, "
  .. "also where the new ones have not arrived yet.")
parser:flag("--deliver-only", "Rotate nothing: deliver the secrets that are in force.")
parser:option("--limit", "At most so many widgets."):argname("N"):convert(usage.count "--limit")
parser:flag("--dry-run", "Only tell what would be rotated.")
parser:option("--format", "What is printed.", "table"):choices(report.formats)
local args = parser:parse(arg)

local COLUMNS = { "sitekey", "result", "old_secret_valid_until", "name", "delivered_to", "reason" }
local BENEATH = { delivered_to = ">", reason = "" }
local FINDINGS, REFUSED = 3, 5

local chosen, problem, complaints = selection.read(args)
if not chosen then
  parser:error(problem)
elseif #complaints > 0 then
  io.stderr:write(table.concat(complaints, "\n"), "\n")
  os.exit(1)
end
local target
target, problem = delivery.read(args)
if not target then
  parser:error(problem)
end
local is_rotating = not args.deliver_only and not args.dry_run
local allowance = is_rotating and turnstile.allowance "rotate" or math.huge
if allowance < 1 then
  log.warn "nothing is rotated without tshost --allow rotate, or under --read-only"
  os.exit(REFUSED)
end

local plan = rotation_plan.new()

-- A widget with its new secret; or nil, and whether others may still be rotated. What the service
-- refuses because an old secret is still valid has changed nothing.
local function rotate(widget, row)
  local rotated, err = widgets.rotate_secret(widget, {
    invalidate_immediately = args.invalidate_immediately or false,
  })
  if rotated then
    local ends = not args.invalidate_immediately and plan.grace_end(rotated)
    row.old_secret_valid_until = ends and timestamp.format(ends)
      or args.invalidate_immediately and rotated.modified_on or nil
    return rotated
  end
  row.result, row.reason = "failed", err.message
  if err.outcome == "unknown" then
    row.result = "unknown"
    row.reason = err.message .. "; if it has a new secret, --deliver-only delivers it"
  elseif err.status == 404 then
    err:forgive "deleted meanwhile"
    plan.findings, row.result = plan.findings + 1, "missing"
    return nil, true
  elseif err.status == 400 then
    local ends = plan.possible_grace(widget) or plan.possible_grace(widgets.get(widget) or {})
    if ends then
      err:forgive "still in grace"
      plan.findings, row.result = plan.findings + 1, "in grace"
      row.reason = "an older secret is still valid; try again after " .. timestamp.show(ends + 1)
      return nil, true
    end
  end
  return nil, false
end

-- Delivers the secret that the widget has; whether the next widget may be touched.
local function deliver(widget, row, done)
  row.result, row.reason = "not delivered", "its new secret is in force; --deliver-only delivers it"
  local ok, err = target:deliver(widget)
  if not ok then
    row.reason = err.message .. "; " .. row.reason
    return false
  end
  row.result, row.reason, row.delivered_to = done, nil, target:place(widget)
  return true
end

local function work(widget, row)
  row.result = "under way" -- what stays when the run is stopped
  if not args.deliver_only then
    local rotated, may_go_on = rotate(widget, row)
    return rotated and deliver(rotated, row, "rotated") or not rotated and may_go_on
  end
  local current, err = widgets.get(widget)
  if not current then
    row.result, row.reason = "failed", err.message
  end
  return current and deliver(current, row, "delivered")
end

-- One after the other, until one has to be the last.
local function work_off(jobs)
  local taken, may_go_on = 0, true
  task.each(function()
    taken = taken + 1
    return may_go_on and jobs[taken] or nil
  end, function(job)
    may_go_on = work(job.widget, job.row)
    return may_go_on or nil, job.row.reason
  end, { concurrency = 1, progress = "Rotating", total = #jobs })
  if not may_go_on then
    log.warn "stopped there: no further widget is touched"
  end
end

local function look_ahead(jobs)
  for _, job in ipairs(jobs) do
    job.row.result = args.deliver_only and "would deliver" or "would rotate"
    if not args.deliver_only and plan.possible_grace(job.widget) then
      job.row.reason = "was changed less than two hours ago; refused if that was a rotation"
    end
  end
end

-- Whatever can be known before the first rotation.
for widget in widgets.list() do
  target:see(widget)
  plan:see(widget, chosen:takes(widget))
end
plan:settle(target, args.limit, chosen:missing())
if #plan.jobs > 1 and target:is_one_place() then
  parser:error "--command: with neither {sitekey} nor {name} all secrets would go to one place"
elseif #plan.jobs > allowance then
  log.warn(("%d widgets are more than --allow rotate=%d: nothing is rotated; --limit %d would "
    .. "rotate the first"):format(#plan.jobs, allowance, allowance))
  os.exit(REFUSED)
end
local is_ready = true
if not args.dry_run then
  is_ready, problem = target:prepare()
end
if not is_ready then
  parser:error(problem)
end
log.note(plan:summary(turnstile.estimate(#plan.jobs)))
if args.invalidate_immediately and #plan.jobs > 0 then
  log.warn("--invalidate-immediately: each old secret is refused from its rotation on; visitors "
    .. "are turned away until the new one is in use")
end

do
  -- Printed whatever ends the work, so that it is known how far it came.
  local _ <close> = setmetatable({}, { __close = function()
    report.print(args.format, COLUMNS, plan.rows, BENEATH)
    local deadlines = plan:deadlines()
    if deadlines then
      log.note(deadlines)
    end
  end })
  if args.dry_run then
    look_ahead(plan.jobs)
  elseif #plan.jobs > 0 then
    work_off(plan.jobs)
  end
end
if plan.findings > 0 or args.dry_run and #plan.jobs > 0 then
  os.exit(FINDINGS)
end
