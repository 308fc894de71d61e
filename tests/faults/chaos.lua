-- SPDX-License-Identifier: MIT
-- A lane of every operation for each widget "lane N", lanes side by side, steps of a lane one after
-- the other. Each call prints a line with what the script was told: operation, lane, step, outcome,
-- and details. The test compares them with what the server has.
local task = require "task"
local widgets = require "turnstile".widgets

local concurrency = tonumber(arg[1])
local is_blind = arg[2] == "blind" -- rotates by the sitekey alone, with nothing to compare with later

local function told(op, lane, step, result, err, ...)
  local outcome = "done"
  if not result then
    outcome = err.outcome or "read_failed"
    print(op, lane, step, outcome, err.kind, err.status or "-", err.message)
  else
    print(op, lane, step, outcome, ...)
  end
  return result
end

local function domain(step, lane)
  return ("%s.lane%s.example"):format(step, lane)
end

-- Both return the widget as it is now, as far as is known.
local function edit(widget, lane, step, fields)
  return told("update", lane, step, widgets.update(widget, fields)) or widget
end

local function rotate(widget, lane, step, at_once)
  local rotated, err = widgets.rotate_secret(is_blind and widget.sitekey or widget,
    { invalidate_immediately = at_once })
  return told("rotate", lane, step, rotated, err, widget.sitekey,
    rotated and assert(rotated.secret:reveal())) or widget
end

local function run(widget)
  local lane = widget.name:match "%d+$"
  local made, err = widgets.create {
    name = "made " .. lane, domains = { domain("made", lane) }, mode = "managed",
  }
  told("create", lane, "made", made, err, made and made.sitekey,
    made and assert(made.secret:reveal()))
  widget = edit(widget, lane, "first", { domains = { add = { domain("first", lane) } } })
  edit(widget.sitekey, lane, "second",
    { domains = { add = { domain("second", lane) }, remove = { domain("old", lane) } } })
  widget = rotate(widget, lane, "at_once", true)
  widget = told("get", lane, "get", widgets.get(widget.sitekey)) or widget
  if made then
    edit(made, lane, "made", { domains = { add = { domain("more", lane) } } })
    if tonumber(lane) % 2 == 0 then
      told("delete", lane, "made", widgets.delete(made.sitekey))
    end
  end
  widget = rotate(widget, lane, "with_grace", false)
  edit(widget, lane, "mode", { mode = "invisible" })
  if tonumber(lane) % 25 == 0 then
    local count = 0
    local is_whole, problem = pcall(function()
      for _ in widgets.list { filter = "name:lane", per_page = 100 } do
        count = count + 1
      end
    end)
    told("list", lane, "list", is_whole, problem, count)
  end
end

local lanes
repeat -- a fleet that cannot be read is read again: the test is about what comes after
  local is_whole, found = pcall(widgets.all, { filter = "name:lane" })
  lanes = is_whole and found or told("list", 0, "lanes", nil, found)
until lanes
task.each(lanes, run, { concurrency = concurrency })
print "end"
