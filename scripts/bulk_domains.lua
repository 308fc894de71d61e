-- SPDX-License-Identifier: MIT
-- Adds, removes and replaces domains of many widgets: the same edit for a selection, or one for
-- each from a CSV file. May be run again at any time: what is done already is left alone.
local domain_edit = require "domain_edit"
local domain_plan = require "domain_plan"
local edit_file = require "edit_file"
local log = require "log"
local report = require "report"
local selection = require "selection"
local task = require "task"
local turnstile = require "turnstile"
local usage = require "usage"

local widgets = turnstile.widgets

local parser = usage.parser("tshost bulk_domains.lua", "Edits the domains of many widgets.")
parser:option("--add", "Domain that each is to have; may be repeated, as the next two.")
  :argname("DOMAIN"):count("*")
parser:option("--remove", "Domain that none is to have."):argname("DOMAIN"):count("*")
parser:option("--replace", "NEW instead of OLD, where OLD is."):argname("OLD=NEW"):count("*")
selection.add_options(parser)
parser:option("--from-csv", "Instead of all of these: a CSV file with the columns sitekey, name or "
  .. "both, and any of add, remove and replace (several separated by spaces or semicolons); - for "
  .. "standard input."):argname("FILE"):overwrite(false)
parser:option("--limit", "At most so many widgets are changed."):argname("N")
  :convert(usage.count "--limit")
parser:option("--max-domains", "How many domains a widget may have.", "15"):argname("N")
  :convert(usage.count "--max-domains")
parser:flag("--skip-refused", "Go on with the others when some cannot be changed as asked.")
parser:flag("--dry-run", "Only tell what would be changed.")
parser:option("--format", "What is printed.", "table"):choices(report.formats)
local args = parser:parse(arg)

local COLUMNS = { "sitekey", "result", "name", "added", "removed", "reason" }
local BENEATH = { added = "+", removed = "-", reason = "" }
local FINDINGS, REFUSED = 3, 5

local has_edit = #args.add + #args.remove + #args.replace > 0
if args.from_csv and (has_edit or selection.is_given(args)) then
  parser:error "--from-csv says which widgets and what to do: leave out the other options for that"
end

-- The edits of the CSV file, or the one of the command line and whom it is for.
local entries, edit, chosen, complaints
if args.from_csv then
  entries, complaints = edit_file.read(args.from_csv)
else
  local problem
  edit = domain_edit.read(args, function(text)
    problem = problem or text
  end)
  if problem then
    parser:error(problem)
  end
  chosen, problem, complaints = selection.read(args)
  if not chosen then
    parser:error(problem)
  end
end
if #complaints > 0 then
  io.stderr:write(table.concat(complaints, "\n"), "\n")
  os.exit(1)
end

-- One look at the whole fleet; what is to be done goes into the plan.
local plan, fleet = domain_plan.new(args.max_domains, args.limit), 0
local entry_of = entries and edit_file.finder(entries)
for widget in widgets.list() do
  fleet = fleet + 1
  if entries then
    entry_of(widget)
  elseif chosen:takes(widget) then
    plan:consider(widget, edit, chosen.is_named)
  end
end
for _, entry in ipairs(entries or {}) do
  plan:consider_entry(entry)
end
for _, sitekey in ipairs(chosen and chosen:missing() or {}) do
  plan:add_missing { sitekey = sitekey }
end

-- Edits one widget; how that went is put into its row. What it costs to look whether somebody else
-- changed it meanwhile, `widgets.update` shares between all rows of the list.
local function edit_widget(job)
  local row, change = job.row, job.change
  row.result = "under way" -- what stays when the run is stopped
  local widget, err = widgets.update(job.widget, {
    domains = { add = change.added, remove = change.removed },
  })
  if widget then
    row.result, row.reason = "changed", domain_plan.surprise(change, widget.domains)
  elseif err.outcome == "unknown" then
    row.result, row.reason = "unknown", err.message
  else
    row.result, row.reason = err.kind == "stale" and "stale" or "failed", err.message
  end
  return widget, err -- for the count of failures in the progress
end

local is_held = plan.refused > 0 and not args.skip_refused
if is_held then
  plan.jobs = {}
end
log.note(plan:summary(fleet, turnstile.estimate(#plan.jobs)))
if is_held then
  log.warn("nothing is changed, because some cannot be changed as asked; the reasons are with them, "
    .. "and --skip-refused changes the others")
end
-- With none left each update says itself what refuses it.
local allowance = turnstile.allowance "update"
local is_capped = not args.dry_run and allowance > 0 and #plan.jobs > allowance
if is_capped then
  log.warn(("%d widgets are more than --max-update %d: nothing is changed; --limit %d would change "
    .. "the first"):format(#plan.jobs, allowance, allowance))
  plan.jobs = {}
end
do
  -- Printed whatever ends the work, so that it is known how far it came.
  local _ <close> = setmetatable({}, { __close = function()
    report.print(args.format, COLUMNS, plan.rows, BENEATH)
  end })
  if args.dry_run then
    for _, job in ipairs(plan.jobs) do
      job.row.result = "would change"
    end
  elseif #plan.jobs > 0 then
    task.each(plan.jobs, edit_widget, { progress = "Editing domains" })
  end
end
if is_capped then
  os.exit(REFUSED)
elseif plan.findings > 0 or args.dry_run and #plan.jobs > 0 then
  os.exit(FINDINGS)
end
