-- SPDX-License-Identifier: MIT
-- What a script would change: the operations that it carried out on a copy of the account become
-- the steps of a plan. How it is shown and saved is in plan_text and plan_json.
local cjson = require "cjson"
local journal = require "tshost.journal"
local lx = require "tshost.lx"

local fields = require "tshost.program.plan_fields"
local plan_json = require "tshost.program.plan_json"
local plan_text = require "tshost.program.plan_text"

local plan = { json = plan_json, text = plan_text }

local WRITES = { create = true, update = true, delete = true, rotate = true }
local DOMAINS_MAX = 15 -- that accounts have without an agreement

---@class plan.step
---@field op "create"|"update"|"delete"|"rotate"|"write"|"pipe"
---@field new? string of a create: the placeholder that later steps name the widget by
---@field sitekey? string of all others
---@field saw? table<string, any> the fields that can be written, as the script relied on them
---@field set? table<string, any> those that are written
---@field name? string of the widget, for people
---@field place string

local function is_same_list(a, b)
  if #a ~= #b then
    return false
  end
  for i, item in ipairs(a) do
    if item ~= b[i] then
      return false
    end
  end
  return true
end

local function is_same(a, b)
  if type(a) == "table" and type(b) == "table" then
    return is_same_list(a, b)
  end
  return a == b
end

local function sorted(list)
  local copy = table.move(list, 1, #list, 1, {})
  table.sort(copy)
  return copy
end

-- The writable fields of a widget or of a request's body; domains in order, as they are a set.
local function fields_of(object)
  if not object then
    return nil
  end
  local found = {}
  for _, name in ipairs(fields) do
    local value = object[name]
    if value ~= nil and value ~= cjson.null then
      found[name] = name == "domains" and sorted(value) or value
    end
  end
  return found
end

local function changed_fields(before, body)
  local set = {}
  for name, value in pairs(fields_of(body)) do
    if before[name] == nil or not is_same(before[name], value) then
      set[name] = value
    end
  end
  return set
end

-- The step of a row. `saw` is the widget as the steps before have left it, or else as the script
-- relied on it; of a widget that it named by its sitekey alone, as the answer has it.
local make = {}

function make.create(row)
  return { op = "create", new = row.sitekey, set = fields_of(row.body) }
end

function make.update(row, saw)
  return { op = "update", sitekey = row.sitekey, saw = saw, set = changed_fields(saw, row.body) }
end

function make.delete(row, saw)
  return { op = "delete", sitekey = row.sitekey, saw = saw }
end

function make.rotate(row, saw)
  return {
    op = "rotate", sitekey = row.sitekey, saw = saw,
    invalidate_immediately = row.body ~= nil and row.body.invalidate_immediately == true,
  }
end

-- What is no UTF-8 does not stand in JSON as it is, and would be another file or word when applied.
local function check_text(row, word)
  if word:find("\u{FFFD}", 1, true) then
    error(("%s: a plan cannot hold %s, which is not valid UTF-8"):format(row.place or "?",
      lx.clean(word)), 0)
  end
end

function make.write(row)
  check_text(row, row.body.path)
  local replace = row.body.replace == true
  return { op = "write", sitekey = row.sitekey, path = row.body.path, replace = replace }
end

function make.pipe(row)
  for _, word in ipairs(row.body.command) do
    check_text(row, word)
  end
  local body = row.body
  return { op = "pipe", sitekey = row.sitekey, command = body.command, timeout = body.timeout_ms / 1000 }
end

-- What applying costs, but for looks at what changed meanwhile: each write; what the changes rely on,
-- from a list or widget by widget, whichever is less; a read for each rotation, and for a secret that
-- no step before has brought; and a look for widgets like those that are created.
local function count_requests(steps, fleet)
  local requests, compared, is_seen, has_secret, creates = 0, 0, {}, {}, 0
  for _, step in ipairs(steps) do
    local sitekey = step.new or step.sitekey
    requests = requests + (WRITES[step.op] and 1 or 0)
    if step.op == "create" then
      creates, is_seen[sitekey] = 1, true
    elseif step.op == "rotate" or not WRITES[step.op] and not has_secret[sitekey] then
      requests = requests + 1
    elseif WRITES[step.op] and not is_seen[sitekey] then
      compared, is_seen[sitekey] = compared + 1, true
    end
    has_secret[sitekey] = step.op ~= "update" and step.op ~= "delete" or has_secret[sitekey]
  end
  return requests + creates + math.min(compared, math.max(math.ceil(fleet / 1000), 1))
end

local function find_remarks(steps)
  local remarks = {}
  for _, step in ipairs(steps) do
    local had = step.saw and step.saw.domains and #step.saw.domains or 0
    local has = step.set and step.set.domains and #step.set.domains or 0
    if has > DOMAINS_MAX and had <= DOMAINS_MAX then
      remarks[#remarks + 1] = {
        place = step.place,
        text = ("%s would have %d domains; most accounts may have %d"):format(
          step.new or step.sitekey, has, DOMAINS_MAX),
      }
    end
  end
  return remarks
end

local function check_account(context, row)
  context.account = context.account or row.account
  if row.account and row.account ~= context.account then
    error(("a plan is for one account, and the script writes to %s and %s"):format(context.account,
      row.account), 0)
  end
end

-- The operations that the journal has of the run, none if the script changed nothing.
local function operations(run)
  if not run then
    return function() end
  end
  return journal.operations(run)
end

-- Whether the step leaves its widget open to every hostname, which needs a permission of its own.
local function is_any_hostname(step)
  local domains = step.set and (step.set.domains or step.saw and step.saw.domains)
  return domains ~= nil and #domains == 0
end

local function count(counts, kind)
  if kind then
    counts[kind] = (counts[kind] or 0) + 1
  end
end

---Makes a plan of what the journal has of the script's run.
---@param context table run (nil: it changed nothing), plan (its id), base_url, script, sha256, arguments,
---directory, created, tshost, directories, remarks, fleet (how many widgets the account has)
---@return table plan the context with account, steps, counts and requests
function plan.make(context)
  local steps, counts = {}, {}
  local names, widgets = {}, {} -- by sitekey, as the steps so far have left them
  for row in operations(context.run) do
    if row.state == "done" then
      check_account(context, row)
      local sitekey, seen = row.sitekey, row.after or row.before
      local saw = widgets[sitekey] or fields_of(row.before) or fields_of(row.after)
      local step = make[row.op](row, saw)
      names[sitekey] = seen and seen.name or names[sitekey]
      widgets[sitekey] = row.op ~= "delete" and fields_of(row.after) or widgets[sitekey]
      step.name, step.place = names[sitekey], row.place or ""
      if step.op ~= "update" or next(step.set) then -- one that changes nothing is none
        steps[#steps + 1] = step
        count(counts, step.op)
        count(counts, is_any_hostname(step) and "any-hostname" or nil)
      end
    end
  end
  context.steps, context.counts = steps, counts
  context.requests = count_requests(steps, context.fleet)
  local remarks = find_remarks(steps)
  table.move(remarks, 1, #remarks, #context.remarks + 1, context.remarks)
  return context
end

return plan
