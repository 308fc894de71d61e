-- SPDX-License-Identifier: MIT
-- Whose secrets are to be rotated, who cannot be, and until when the old secrets stay valid.
local cost = require "cost"
local human = require "human"
local timestamp = require "timestamp"

---@class rotation_plan
---@field rows table[] for the report
---@field jobs { widget: turnstile.widget, row: table }[] at most as many as the limit
---@field findings integer widgets that cannot be rotated, or are not there
---@field private selected turnstile.widget[]
---@field private fleet integer
---@field private left integer
local rotation_plan = {}
rotation_plan.__index = rotation_plan

local GRACE <const> = 2 * 60 * 60 -- seconds

---@return rotation_plan
function rotation_plan.new()
  return setmetatable({
    rows = {}, jobs = {}, findings = 0, selected = {}, fleet = 0, left = 0,
  }, rotation_plan)
end

---Takes notice of a widget of the fleet.
---@param widget turnstile.widget
---@param is_selected boolean
function rotation_plan:see(widget, is_selected)
  self.fleet = self.fleet + 1
  if is_selected then
    self.selected[#self.selected + 1] = widget
  end
end

function rotation_plan:add_row(row, result, reason)
  row.result, row.reason = result, reason
  self.rows[#self.rows + 1] = row
  return row
end

---Once all are seen: makes jobs of those that were selected and that nothing stands in the way of.
---@param target delivery
---@param limit? integer
---@param missing string[] sitekeys that were named and are not there
function rotation_plan:settle(target, limit, missing)
  for _, widget in ipairs(self.selected) do
    local row = { sitekey = widget.sitekey, name = widget.name }
    local obstacle = target:find_obstacle(widget)
    if obstacle then
      self.findings = self.findings + 1
      self:add_row(row, "refused", obstacle)
    elseif #self.jobs < (limit or math.huge) then
      self:add_row(row, "not done")
      self.jobs[#self.jobs + 1] = { widget = widget, row = row }
    else
      self.left = self.left + 1
    end
  end
  for _, sitekey in ipairs(missing) do
    self.findings = self.findings + 1
    self:add_row({ sitekey = sitekey }, "missing", "no such widget in this account")
  end
end

---What the plan costs, in a line.
---@param seconds? number what the requests of the jobs take
---@return string
function rotation_plan:summary(seconds)
  return ("%s; %s selected%s"):format(cost.line(self.fleet, #self.jobs, seconds),
    human.count(#self.selected), self.left > 0 and "; " .. human.count(self.left) .. " left" or "")
end

---Until when the secret is valid that a widget had before it was changed last, if that change was
---a rotation: the only one who knows is the service.
---@param widget turnstile.widget
---@return integer? seconds since 1970; nil when the widget does not tell
function rotation_plan.grace_end(widget)
  local changed = timestamp.parse(widget.modified_on or "")
  return changed and changed + GRACE
end

---The same when it is still to come.
---@param widget turnstile.widget
---@return integer?
function rotation_plan.possible_grace(widget)
  local ends = rotation_plan.grace_end(widget)
  return ends and ends > os.time() and ends or nil
end

---The first and the last moment at which old secrets of these rows die, for people; nil when none
---was rotated.
---@return string?
function rotation_plan:deadlines()
  local first, last
  for _, row in ipairs(self.rows) do
    local ends = row.old_secret_valid_until and timestamp.parse(row.old_secret_valid_until)
    first = ends and math.min(first or ends, ends) or first
    last = ends and math.max(last or ends, ends) or last
  end
  if first ~= last then
    return ("the first old secret is valid until %s, the last until %s")
      :format(timestamp.show(first), timestamp.show(last))
  end
  return first and "old secrets are valid until " .. timestamp.show(first)
end

return rotation_plan
