-- SPDX-License-Identifier: MIT
-- Reading the file that a plan is saved in. It may have been edited, cut off, or be something else:
-- all of it is checked before anything relies on a part of it.
local cjson = require "cjson"
local lx = require "tshost.lx"
local run = require "tshost.run"
local timestamp = require "timestamp"

local plan_file = {}

local VERSION = 1
local SIZE_MAX = 64 << 20
local STEPS_MAX = 1000000
local SITEKEY = "^[%w_-]+$"
local SITEKEY_MAX = 32

-- The members of a plan, and of a step by its operation: what they must be, "?" when they may be
-- missing.
local MEMBERS = {
  format = "string", version = "integer", tshost = "string?", plan = "string", created = "string",
  account = "string", base_url = "string", script = "string?", sha256 = "string?",
  arguments = "list?", directory = "string?", counts = "table?", requests = "integer?",
  options = "string?", directories = "list?", remarks = "list?", steps = "list",
}
local COMMON = { op = "string", name = "string?", place = "string?" }
local STEPS = {
  create = { new = "string", set = "table" },
  update = { sitekey = "string", saw = "table", set = "table" },
  delete = { sitekey = "string", saw = "table" },
  rotate = { sitekey = "string", saw = "table", invalidate_immediately = "boolean" },
  write = { sitekey = "string", path = "string", replace = "boolean" },
  pipe = { sitekey = "string", command = "list", timeout = "number?" },
}

-- Ends the reading; caught in plan_file.read, which puts the file's name in front.
local function complain(format, ...)
  error({ complaint = format:format(...) }, 0)
end

local function kind_of(value)
  if type(value) == "table" then
    return next(value) == nil and "empty" or #value > 0 and "list" or "table"
  end
  return math.type(value) or type(value)
end

local function fits(value, wanted)
  local kind = kind_of(value)
  return kind == wanted or kind == "empty" and (wanted == "list" or wanted == "table")
    or wanted == "number" and type(value) == "number"
end

-- Checks the members of an object against the tables of what they must be.
local function check_members(where, object, ...)
  local known = {}
  for _, members in ipairs { ... } do
    for name, kind in pairs(members) do
      local wanted, is_optional = kind:match "^(%a+)(%??)$"
      known[name] = true
      if object[name] == nil and is_optional == "" then
        complain("%s: `%s` is missing", where, name)
      elseif object[name] ~= nil and not fits(object[name], wanted) then
        complain("%s: `%s` must be a %s", where, name, wanted)
      end
    end
  end
  for name in pairs(object) do
    if not known[name] then
      complain("%s: `%s` is not known", where, tostring(name))
    end
  end
end

-- A text that may stand in a message, in a file name or behind a command.
local function check_text(where, name, text)
  if text == "" or text:find "\0" then
    complain("%s: `%s` is empty or has a NUL byte in it", where, name)
  end
end

local function check_fields(where, name, fields, is_creation)
  local ok, problem = pcall(run.check_fields, fields, is_creation)
  if not ok then
    complain("%s: `%s`: %s", where, name, tostring(problem):gsub("^%a+: ", ""))
  end
end

-- `saw` has all fields that can be written, also those that are fixed at creation.
local function check_saw(where, saw)
  local fields = {}
  for name, value in pairs(saw) do
    fields[name] = value
  end
  fields.name, fields.domains = fields.name or "x", fields.domains or {}
  fields.mode = fields.mode or "managed"
  check_fields(where, "saw", fields, true)
end

local function check_list_of_text(where, name, list)
  for i = 1, #list do
    if type(list[i]) ~= "string" then
      complain("%s: `%s` must hold strings", where, name)
    end
    if list[i]:find "\0" then
      complain("%s: `%s` has a NUL byte in it", where, name)
    end
  end
end

-- The sitekey of a step is a real one or what a step before has made.
local function check_sitekey(where, sitekey, state)
  if state.deleted[sitekey] then
    complain("%s: %s is deleted by step %d", where, sitekey, state.deleted[sitekey])
  elseif not state.made[sitekey]
    and (#sitekey > SITEKEY_MAX or not sitekey:find(SITEKEY)) then
    complain("%s: `sitekey` can not be one", where)
  elseif state.later[sitekey] and not state.made[sitekey] then
    complain("%s: %s is made by a later step", where, sitekey)
  end
end

local function absolute(path, directory)
  return path:sub(1, 1) == "/" and path or directory .. "/" .. path
end

local check = {}

function check.create(where, step, state)
  check_text(where, "new", step.new)
  if state.made[step.new] then
    complain("%s: `new` is that of step %d", where, state.made[step.new])
  end
  check_fields(where, "set", step.set, true)
end

function check.update(where, step)
  check_saw(where, step.saw)
  if next(step.set) == nil then
    complain("%s: `set` is empty", where)
  end
  check_fields(where, "set", step.set, false)
end

function check.delete(where, step)
  check_saw(where, step.saw)
end

check.rotate = check.delete

function check.write(where, step, state)
  check_text(where, "path", step.path)
  if not state.directory and step.path:sub(1, 1) ~= "/" then
    complain("%s: `path` must begin with a slash, as the plan has no `directory`", where)
  end
end

function check.pipe(where, step)
  check_list_of_text(where, "command", step.command)
  if #step.command == 0 or step.command[1] == "" then
    complain("%s: `command` is empty", where)
  elseif step.timeout and not (step.timeout > 0 and step.timeout <= 86400) then
    complain("%s: `timeout` must be seconds, more than 0 and at most 86400", where)
  end
end

local function check_steps(self)
  local state = { made = {}, deleted = {}, later = {}, directory = self.directory }
  if #self.steps > STEPS_MAX then
    complain("it has more than %d steps", STEPS_MAX)
  end
  for _, step in ipairs(self.steps) do
    if type(step) == "table" and type(step.new) == "string" then
      state.later[step.new] = true
    end
  end
  for i, step in ipairs(self.steps) do
    local where = ("step %d"):format(i)
    if type(step) ~= "table" or type(step.op) ~= "string" or not STEPS[step.op] then
      complain("%s: `op` must be create, update, delete, rotate, write or pipe", where)
    end
    check_members(where, step, COMMON, STEPS[step.op])
    if step.sitekey then
      check_sitekey(where, step.sitekey, state)
    end
    check[step.op](where, step, state)
    if step.op == "create" then
      state.made[step.new] = i
    elseif step.op == "delete" then
      state.deleted[step.sitekey] = i
    end
  end
end

-- Files are named from where the plan was made.
local function complete_paths(self)
  local directory = self.directory or "" -- then there is nothing to complete
  for i, path in ipairs(self.directories or {}) do
    self.directories[i] = absolute(path, directory)
  end
  for _, step in ipairs(self.steps) do
    step.path = step.path and absolute(step.path, directory)
  end
end

local function check_plan(self)
  if type(self) ~= "table" or self.format ~= "tshost plan" then
    complain "is no plan; `tshost plan SCRIPT -o FILE` makes one"
  end
  if math.type(self.version) ~= "integer" then
    complain "the plan: `version` must be an integer"
  elseif self.version ~= VERSION then
    complain("is of plan format %d, and this tshost reads format %d; make it anew with the tshost "
      .. "that is to apply it", self.version, VERSION)
  end
  check_members("the plan", self, MEMBERS)
  if #self.plan > 64 or not self.plan:find "^[%w-]+$" then
    complain "the plan: `plan` can not be its id"
  elseif not timestamp.parse(self.created) then
    complain "the plan: `created` is no time"
  end
  check_list_of_text("the plan", "directories", self.directories or {})
  for _, name in ipairs { "account", "base_url", "directory" } do
    check_text("the plan", name, self[name] or "-")
  end
  if self.directory and self.directory:sub(1, 1) ~= "/" then
    complain "the plan: `directory` must begin with a slash"
  elseif not self.directory and #(self.directories or {}) > 0 then
    complain "the plan: `directory` is missing, from which `directories` are named"
  end
  check_steps(self)
end

local function read_text(path)
  local file, problem = io.open(path, "rb")
  if not file then
    return nil, problem
  end
  local text
  text, problem = file:read(SIZE_MAX + 1)
  file:close()
  if not text then
    return nil, ("%s: %s"):format(path, problem or "is empty")
  elseif #text > SIZE_MAX then
    return nil, ("%s: is larger than %d MiB, and no plan"):format(path, SIZE_MAX >> 20)
  end
  return text
end

-- The line of the character that lua-cjson's message names.
local function damage(text, problem)
  local at = math.tointeger(tonumber(problem:match "at character (%d+)"))
  if not at then
    return "is no JSON"
  end
  local _, lines = text:sub(1, at):gsub("\n", "")
  return ("is damaged at line %d: %s"):format(lines + 1, problem:gsub("^[^:]*:%d+: ", ""))
end

---Reads and checks a plan.
---@param path string
---@return table? plan its steps name files from the root
---@return string? problem with the file, the place in it, and what to do
function plan_file.read(path)
  local text, problem = read_text(path)
  if not text then
    return nil, problem
  end
  if not text:find "^%s*{" then
    return nil, path .. ": is no plan; `tshost plan SCRIPT -o FILE` makes one"
  end
  local ok, plan = pcall(cjson.decode, text)
  if not ok then
    return nil, ("%s: %s; make the plan anew: tshost plan SCRIPT -o FILE"):format(path,
      damage(text, tostring(plan)))
  end
  ok, problem = pcall(check_plan, plan)
  if not ok then
    if type(problem) ~= "table" or not problem.complaint then
      error(problem, 0)
    end
    return nil, ("%s: %s"):format(path, problem.complaint)
  end
  complete_paths(plan)
  return plan
end

return lx.seal("plan_file", plan_file)
