-- SPDX-License-Identifier: MIT
-- What an edit of many widgets' domains comes to: who is to be changed and how, who cannot be, and
-- what it costs. Made before the first widget is touched.
local cost = require "cost"
local human = require "human"

---@class domain_plan
---@field rows table[] for the report, in the order of the fleet or file
---@field jobs domain_plan.job[] at most as many as the limit
---@field refused integer widgets that cannot be changed as asked
---@field findings integer those, and what was named but could not be found
---@field private selected integer
---@field private unchanged integer
---@field private left integer
---@field private max_domains integer
---@field private limit number
local domain_plan = {}
domain_plan.__index = domain_plan

---@class domain_plan.job
---@field widget turnstile.widget as listed
---@field change domain_edit.change
---@field row table

---@param max_domains integer how many domains a widget may have
---@param limit? integer at most so many jobs
---@return domain_plan
function domain_plan.new(max_domains, limit)
  return setmetatable({
    rows = {}, jobs = {}, refused = 0, findings = 0, selected = 0, unchanged = 0, left = 0,
    max_domains = max_domains, limit = limit or math.huge,
  }, domain_plan)
end

function domain_plan:add_row(row, result)
  row.result = result
  self.rows[#self.rows + 1] = row
end

function domain_plan:refuse(row, reason)
  row.reason = reason
  self.refused = self.refused + 1
  self.findings = self.findings + 1
  self:add_row(row, "refused")
end

-- Why the change must not be made, or nil.
function domain_plan:find_obstacle(change)
  if #change.before == 0 then
    return "it admits any hostname; with domains added it would admit only these"
  elseif #change.after == 0 then
    return "no domain would be left, and a widget without one admits any hostname"
  elseif #change.after > self.max_domains and #change.after > #change.before then
    return ("it would have %d domains, more than %d"):format(#change.after, self.max_domains)
  end
end

---Takes a widget into the plan. Those that are to stay as they are get a row only when they were
---named one by one.
---@param widget turnstile.widget
---@param edit domain_edit
---@param is_named? boolean
function domain_plan:consider(widget, edit, is_named)
  self.selected = self.selected + 1
  local change = edit:apply(widget.domains)
  local row = {
    sitekey = widget.sitekey, name = widget.name, added = change.added, removed = change.removed,
  }
  local obstacle = self:find_obstacle(change)
  if #change.added + #change.removed == 0 then
    self.unchanged = self.unchanged + 1
    if is_named then
      self:add_row(row, "unchanged")
    end
  elseif obstacle then
    self:refuse(row, obstacle)
  elseif #self.jobs < self.limit then
    self:add_row(row, "not done")
    self.jobs[#self.jobs + 1] = { widget = widget, change = change, row = row }
  else
    self.left = self.left + 1
    if is_named then
      self:add_row(row, "left")
    end
  end
end

---Takes the widget that an entry of an edit file means into the plan.
---@param entry edit_file.entry
function domain_plan:consider_entry(entry)
  local found = entry.found
  local row = { sitekey = entry.sitekey, name = entry.name, added = {}, removed = {} }
  if entry.problem then
    self:refuse(row, entry.place .. ": " .. entry.problem)
  elseif #found == 0 then
    self:add_missing(row, entry.place)
  elseif #found > 1 then
    local sitekeys = {}
    for i, widget in ipairs(found) do
      sitekeys[i] = widget.sitekey
    end
    self.findings = self.findings + 1
    row.reason = entry.place .. ": widgets of this name: " .. table.concat(sitekeys, ", ")
    self:add_row(row, "duplicate")
  else
    self:consider(found[1], entry.edit, true)
  end
end

---Tells of a widget that was named and is not there.
---@param row { sitekey?: string, name?: string }
---@param place? string where it was named
function domain_plan:add_missing(row, place)
  self.findings = self.findings + 1
  row.reason = (place and place .. ": " or "") .. "no such widget in this account"
  row.added, row.removed = {}, {}
  self:add_row(row, "missing")
end

---What the plan costs, in a line: "12,400 widgets: 13 + 3,100 requests; ...".
---@param fleet integer widgets in the account
---@param seconds? number what the requests of the jobs take
---@return string
function domain_plan:summary(fleet, seconds)
  local parts = {
    cost.line(fleet, #self.jobs, seconds), human.count(self.selected) .. " selected",
  }
  for _, word in ipairs { "unchanged", "refused", "left" } do
    if self[word] > 0 then
      parts[#parts + 1] = human.count(self[word]) .. " " .. word
    end
  end
  return table.concat(parts, "; ")
end

---What is remarkable about the domains of a widget after its change, or nil.
---@param change domain_edit.change
---@param domains string[] what it has now
---@return string?
function domain_plan.surprise(change, domains)
  domains = table.move(domains, 1, #domains, 1, {})
  table.sort(domains)
  local now = table.concat(domains, " ")
  if now ~= table.concat(change.after, " ") then
    return "somebody else changed it too; its domains are now: " .. now
  end
end

return domain_plan
