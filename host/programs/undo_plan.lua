-- SPDX-License-Identifier: MIT
-- What it takes to undo operations of a run. First what they come to for each widget, whatever their
-- number; then, with the widget as it is now, the step that takes it back, or why there is none.
local expectation = require "tshost.expectation"
local fields = require "tshost.program.plan_fields"
local lx = require "tshost.lx"

local undo_plan = {}

---@class undo_plan.widget what a run has done to a widget
---@field sitekey string
---@field account? string
---@field name? string as the run left it
---@field last integer number of the run's last operation on it
---@field is_created boolean
---@field is_deleted boolean
---@field rotated? "grace"|"at once"
---@field left table<string, any> the fields that the run wrote, as it left them
---@field was table<string, any> the same before the run
---@field unknown string[] fields of which it is not known what they were

local function is_value(value)
  return value ~= nil and type(value) ~= "userdata"
end

local function widget_of(widgets, row)
  local widget = widgets[row.sitekey]
  if not widget then
    widget = {
      sitekey = row.sitekey, account = row.account, is_created = false, is_deleted = false,
      left = {}, was = {}, unknown = {},
    }
    widgets[row.sitekey] = widget
  end
  widget.last = row.operation
  return widget
end

-- What a write came to, where its answer was lost: what was sent.
local function after_of(row)
  return row.after or row.body or {}
end

local fold = {}

function fold.create(widget, row)
  local after = after_of(row)
  widget.is_created = true
  for _, name in ipairs(fields) do
    if is_value(after[name]) then
      widget.left[name] = after[name]
    end
  end
end

-- A field that somebody else changed between two updates of the run goes back to what they made it.
function fold.update(widget, row)
  local before, after = row.before or {}, after_of(row)
  for _, name in ipairs(fields) do
    local old, new = before[name], after[name]
    if widget.is_created then
      widget.left[name] = is_value(new) and new or widget.left[name]
    elseif is_value(new) and not is_value(old) and is_value(row.body and row.body[name]) then
      widget.unknown[#widget.unknown + 1] = name
    elseif is_value(new) and is_value(old) and not expectation.is_same(old, new) then
      if widget.left[name] == nil or not expectation.is_same(widget.left[name], old) then
        widget.was[name] = old
      end
      widget.left[name] = new
    end
  end
end

function fold.delete(widget, row)
  widget.is_deleted = true
  widget.name = row.before and row.before.name or widget.name
end

function fold.rotate(widget, row)
  local is_at_once = row.body ~= nil and row.body.invalidate_immediately == true
  widget.rotated = (is_at_once or widget.rotated == "at once") and "at once" or "grace"
end

---What the operations come to.
---@param rows table[] of tshost.journal, in their order
---@return undo_plan.widget[] widgets the one that was written last first
---@return table[] deliveries rows of secrets that were delivered, the last first
---@return table[] doubts rows of which it is not known what came
function undo_plan.fold(rows)
  local by_sitekey, deliveries, doubts = {}, {}, {}
  for _, row in ipairs(rows) do
    if row.state == "intent" or row.state == "unknown" then
      doubts[#doubts + 1] = row
    elseif row.state == "done" and fold[row.op] and row.sitekey then
      local widget = widget_of(by_sitekey, row)
      widget.name = row.after and row.after.name or row.name or widget.name
      fold[row.op](widget, row)
    elseif row.state == "done" and not fold[row.op] then
      table.insert(deliveries, 1, row)
    end
  end
  local widgets = {}
  for _, widget in pairs(by_sitekey) do
    widgets[#widgets + 1] = widget
  end
  table.sort(widgets, function(a, b) return a.last > b.last end)
  return widgets, deliveries, doubts
end

local function is_empty(widget)
  return not widget.is_created and next(widget.left) == nil
end

---Whether it depends on the widget as it is now what can be done.
function undo_plan.needs_live(widget)
  return not widget.is_deleted and not is_empty(widget)
end

local function deletion(widget, live)
  local names = expectation.differing(widget.left, live)
  if names then
    return nil, "changed since: " .. expectation.told(names, widget.left, live)
  end
  return { op = "delete", sitekey = widget.sitekey, saw = widget.left }
end

-- All that the run changed, or nothing: half a way back is a widget that nobody ever had.
local function reversal(widget, live)
  local saw, set, conflicts = {}, {}, {}
  for name, left in pairs(widget.left) do
    local was, is = widget.was[name], live[name]
    is = is_value(is) and is or left
    if not expectation.is_same(left, was) then -- else the run has put it back itself
      saw[name] = is
      if expectation.is_same(is, left) then
        set[name] = was
      elseif not expectation.is_same(is, was) then
        conflicts[#conflicts + 1] = name
      end
    end
  end
  table.sort(conflicts)
  if #conflicts > 0 then
    return nil, "changed since: " .. expectation.told(conflicts, widget.left, live)
  elseif next(set) == nil then
    return nil, nil
  end
  return { op = "update", sitekey = widget.sitekey, saw = saw, set = set }
end

---The step that takes the widget back.
---@param widget undo_plan.widget
---@param live? table as it is now; nil: it is gone
---@return steps.step? step
---@return string? conflict why there is none; nil when there is nothing to take back (any more)
function undo_plan.step(widget, live)
  local step, conflict
  if not live then
    return nil, not widget.is_created and "deleted since" or nil
  elseif widget.is_created then
    step, conflict = deletion(widget, live)
  else
    step, conflict = reversal(widget, live)
  end
  if step then
    step.account, step.name = widget.account, live.name
  end
  return step, conflict
end

---What can not be taken back, in words, with what to do instead.
---@param widget undo_plan.widget
---@return string[]
function undo_plan.lost(widget)
  local lines = {}
  if widget.is_deleted and not widget.is_created then
    lines[1] = "deleted: its sitekey and secret are gone; what it was is in tshost log"
  elseif widget.is_deleted then
    return lines -- there is nothing of it before and after
  elseif widget.rotated and not widget.is_created then
    lines[#lines + 1] = widget.rotated == "grace"
      and "secret rotated: the old one ends two hours after that; deliver the new one"
      or "secret rotated at once: the old one is refused; deliver the new one"
  end
  for _, name in ipairs(widget.unknown) do
    lines[#lines + 1] = ("`%s`: what it was is not known"):format(name)
  end
  return lines
end

return lx.seal("undo_plan", undo_plan)
