-- SPDX-License-Identifier: MIT
-- What a script would change: the operations that it carried out on a copy of the account become
-- the steps of a plan, a text for people, and the JSON of the plan file.
local cjson = require "cjson"
local human = require "human"
local journal = require "tshost.journal"
local lx = require "tshost.lx"

local plan = {}

local FIELDS = {
  "name", "mode", "domains", "region", "clearance_level", "bot_fight_mode", "ephemeral_id",
  "offlabel",
}
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
  local fields = {}
  for _, name in ipairs(FIELDS) do
    local value = object[name]
    if value ~= nil and value ~= cjson.null then
      fields[name] = name == "domains" and sorted(value) or value
    end
  end
  return fields
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

function make.write(row)
  local replace = row.body.replace == true
  return { op = "write", sitekey = row.sitekey, path = row.body.path, replace = replace }
end

function make.pipe(row)
  local body = row.body
  return { op = "pipe", sitekey = row.sitekey, command = body.command, timeout = body.timeout_ms / 1000 }
end

-- What applying costs at most: each write, a look at each widget right before it is changed, and
-- one for a secret that no step before has brought.
local function count_requests(steps)
  local requests, has_secret = 0, {}
  for _, step in ipairs(steps) do
    local sitekey = step.new or step.sitekey
    if not WRITES[step.op] then
      requests = requests + (has_secret[sitekey] and 0 or 1)
      has_secret[sitekey] = true
    else
      requests = requests + (step.op == "create" and 1 or 2)
      has_secret[sitekey] = step.op == "create" or step.op == "rotate" or has_secret[sitekey]
    end
  end
  return requests
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

---Makes a plan of what the journal has of the script's run.
---@param context table run (nil: it changed nothing), plan (its id), base_url, script, sha256, arguments,
---directory, created, tshost, directories, remarks
---@return table plan the context with account, steps, counts and requests
function plan.make(context)
  local steps, counts, names, widgets = {}, {}, {}, {}
  for row in operations(context.run) do
    if row.state == "done" then
      check_account(context, row)
      local after = row.op ~= "delete" and fields_of(row.after) or nil
      local saw = widgets[row.sitekey] or fields_of(row.before) or fields_of(row.after)
      local step = make[row.op](row, saw)
      local seen = row.after or row.before
      names[row.sitekey] = seen and seen.name or row.name or names[row.sitekey]
      widgets[row.sitekey] = after or widgets[row.sitekey]
      step.name, step.place = names[row.sitekey], row.place or ""
      steps[#steps + 1] = step
      counts[step.op] = (counts[step.op] or 0) + 1
      if step.set and step.set.domains and #step.set.domains == 0 then
        counts["any-hostname"] = (counts["any-hostname"] or 0) + 1
      end
    end
  end
  context.steps, context.counts = steps, counts
  context.requests = count_requests(steps)
  local remarks = find_remarks(steps)
  table.move(remarks, 1, #remarks, #context.remarks + 1, context.remarks)
  return context
end

-- A text from outside, harmless for a terminal.
local function shown(value)
  return lx.clean(tostring(value))
end

local function quoted(value)
  return type(value) == "string" and '"' .. shown(value) .. '"' or tostring(value)
end

local LABEL = 17 -- columns of a field's name and what is left of its value

local function label(name)
  return (" "):rep(6) .. name .. (" "):rep(LABEL - #name)
end

-- Lines of a set that changes: what comes, what goes.
local function add_set(lines, name, before, after)
  local old, new, marks = {}, {}, {}
  for _, item in ipairs(before) do
    old[item] = true
  end
  for _, item in ipairs(after) do
    new[item] = true
    if not old[item] then
      marks[#marks + 1] = "+ " .. shown(item)
    end
  end
  for _, item in ipairs(before) do
    if not new[item] then
      marks[#marks + 1] = "- " .. shown(item)
    end
  end
  if #after == 0 then
    marks[#marks + 1] = "none: any hostname"
  end
  for i, mark in ipairs(marks) do
    lines[#lines + 1] = (i == 1 and label(name) or (" "):rep(6 + LABEL)) .. mark
  end
end

local function add_fields(lines, before, set)
  for _, name in ipairs(FIELDS) do
    local old, new = before and before[name], set[name]
    if name == "domains" and new then
      add_set(lines, name, old or {}, new)
    elseif new ~= nil and before then
      lines[#lines + 1] = label(name) .. quoted(old) .. " -> " .. quoted(new)
    elseif new ~= nil then
      lines[#lines + 1] = label(name) .. quoted(new)
    end
  end
end

-- Of each step: its mark, what it does, and what `tshost undo` would do about it.
local tell = {}

function tell.create()
  return "+", "created", "deletes it, with --allow delete"
end

function tell.update()
  return "~", "changed", "puts it back"
end

function tell.delete()
  return "-", "deleted", "none, for a widget made again has another sitekey and secret"
end

function tell.rotate(step)
  if step.invalidate_immediately then
    return "!", "secret rotated at once: the old one is refused from then on", "none"
  end
  return "!", "secret rotated; the old one stays valid for two hours", "none"
end

-- A path as it is seen from where the plan was made.
local function near(path, directory)
  local inner = directory and path:sub(1, #directory + 1) == directory .. "/"
  return shown(inner and path:sub(#directory + 2):gsub("^%./", "") or path)
end

function tell.write(step, directory)
  local what = step.replace and "secret to the file " or "secret to the new file "
  return ">", what .. near(step.path, directory), "none, the file stays"
end

function tell.pipe(step)
  local words = {}
  for i, word in ipairs(step.command) do
    words[i] = word:find "^[%w_@%%+=:,./-]+$" and word or "'" .. shown(word) .. "'"
  end
  return ">", "secret to " .. table.concat(words, " "), "none"
end

local function add_step(lines, step, directory)
  local mark, what, undo = tell[step.op](step, directory)
  local place = step.place ~= "" and shown(step.place) .. "; " or ""
  lines[#lines + 1] = ("  %s %s  (%sundo: %s)"):format(mark, what, place, undo)
  if step.set then
    add_fields(lines, step.saw, step.set)
  elseif step.op == "delete" and step.saw then
    add_set(lines, "domains", step.saw.domains, {})
    lines[#lines] = nil -- that none are left
  end
end

-- A block for each widget, in the order in which the script came to them first.
local function add_blocks(lines, steps, directory)
  local order, blocks = {}, {}
  for _, step in ipairs(steps) do
    local sitekey = step.new or step.sitekey
    local block = blocks[sitekey]
    if not block then
      block = { sitekey = sitekey }
      blocks[sitekey], order[#order + 1] = block, block
    end
    block[#block + 1] = step
  end
  for _, block in ipairs(order) do
    local name = block[1].saw and block[1].saw.name or block[1].name
    lines[#lines + 1] = shown(block.sitekey) .. (name and "  " .. quoted(name) or "")
    for _, step in ipairs(block) do
      add_step(lines, step, directory)
    end
    lines[#lines + 1] = ""
  end
end

local TOTALS = {
  { "create", "created" }, { "update", "changed" }, { "delete", "deleted" },
  { "rotate", "rotated" }, { "write", "to files" }, { "pipe", "to commands" },
}

local function totals(counts)
  local list = {}
  for _, row in ipairs(TOTALS) do
    local count, word = counts[row[1]], row[2]
    if count then
      local subject = not WRITES[row[1]] and (count == 1 and " secret " or " secrets ") or " "
      list[#list + 1] = human.count(count) .. subject .. word
    end
  end
  return table.concat(list, ", ")
end

local function cost(self)
  local requests = human.count(self.requests) .. (self.requests == 1 and " request" or " requests")
  local seconds = math.ceil(self.seconds)
  local wait = seconds > 0 and ("about %s at the rate budget"):format(human.duration(seconds))
    or "no wait for the rate budget"
  return ("at most %s, %s"):format(requests, wait)
end

local function add_remarks(lines, title, remarks)
  if #remarks > 0 then
    lines[#lines + 1] = title
  end
  for _, remark in ipairs(remarks) do
    local place = remark.place ~= "" and shown(remark.place) .. ": " or ""
    local again = (remark.count or 1) > 1 and (" (%s times)"):format(human.count(remark.count)) or ""
    lines[#lines + 1] = "  " .. place .. shown(remark.text) .. again
  end
end

---The plan for people.
---@param self table of plan.make; also `seconds` that applying waits for the rate budget, `options`
---that allow it, `shortage`: what the options that were given lack, `file` where it is saved
---@return string
function plan.text(self)
  local lines = {}
  add_blocks(lines, self.steps, self.directory)
  if #self.steps == 0 then
    lines[#lines + 1] = "Plan: no changes"
  else
    lines[#lines + 1] = "Plan: " .. totals(self.counts)
    lines[#lines + 1] = "Account: " .. shown(self.account or "?")
    lines[#lines + 1] = "Cost: " .. cost(self)
    if self.options ~= "" then
      lines[#lines + 1] = "Needs: " .. self.options
    end
    if self.shortage then
      lines[#lines + 1] = "The options given allow less: " .. shown(self.shortage)
    end
  end
  for i, directory in ipairs(self.directories) do
    lines[#lines + 1] = (i == 1 and "Directories that are made first: " or "  ") .. near(directory, self.directory)
  end
  add_remarks(lines, "Remarks:", self.remarks)
  if self.file and #self.steps > 0 then
    lines[#lines + 1] = ("Saved: tshost apply %s%s"):format(
      self.options ~= "" and self.options .. " " or "", shown(self.file))
  end
  return table.concat(lines, "\n") .. "\n"
end

-- JSON with members in a given order, so that a plan can be read and compared.

local LISTS = {
  arguments = true, command = true, directories = true, domains = true, remarks = true,
  steps = true,
}
local MEMBERS = {
  "format", "version", "tshost", "plan", "created", "account", "base_url", "script", "sha256",
  "arguments", "directory", "counts", "requests", "options", "directories", "remarks",
}
local STEP = {
  "op", "new", "sitekey", "name", "saw", "set", "invalidate_immediately", "path", "replace",
  "command", "timeout", "place",
}
local REMARK = { "place", "text", "count" }
local COUNTS = { "create", "update", "delete", "rotate", "write", "pipe", "any-hostname" }
local ORDERS = { saw = FIELDS, set = FIELDS, counts = COUNTS }

local object

-- cjson writes a slash as "\\/", which is allowed and hard to read.
local function scalar(value)
  local text = cjson.encode(value):gsub("\\(.)", { ["/"] = "/" })
  return text
end

local function encode(name, value)
  if LISTS[name] then
    local items = {}
    for i, item in ipairs(value) do
      items[i] = scalar(item)
    end
    return "[" .. table.concat(items, ",") .. "]"
  end
  return ORDERS[name] and object(ORDERS[name], value) or scalar(value)
end

function object(order, value)
  local members = {}
  for _, name in ipairs(order) do
    if value[name] ~= nil then
      members[#members + 1] = scalar(name) .. ":" .. encode(name, value[name])
    end
  end
  return "{" .. table.concat(members, ",") .. "}"
end

local function rows(order, list)
  local items = {}
  for i, item in ipairs(list) do
    items[i] = "\n  " .. object(order, item)
  end
  return "[" .. table.concat(items, ",") .. (#items > 0 and "\n" or "") .. "]"
end

---The plan file: one step a line. It begins as plan_file.h expects it.
---@param self table of plan.make
---@return string
function plan.json(self)
  self.format, self.version = "tshost plan", 1
  local parts = {}
  for _, name in ipairs(MEMBERS) do
    local value = self[name]
    if name == "remarks" then
      parts[#parts + 1] = '"remarks":' .. rows(REMARK, value)
    elseif value ~= nil then
      parts[#parts + 1] = scalar(name) .. ":" .. encode(name, value)
    end
  end
  parts[#parts + 1] = '"steps":' .. rows(STEP, self.steps)
  return "{" .. table.concat(parts, ",\n") .. "}\n"
end

return plan
