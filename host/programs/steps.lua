-- SPDX-License-Identifier: MIT
-- Carries out the steps of a plan: what `tshost apply`, `undo` and `resume` have in common. Steps of
-- the same widget, the same file or the same command go one after the other, as they stand; all
-- others side by side.
local log = require "log"
local lx = require "tshost.lx"
local run = require "tshost.run"
local steps_look = require "tshost.program.steps_look"
local task = require "task"

local steps = {}

local WRITES = { create = true, update = true, delete = true, rotate = true }

---@class steps.step see host/programs/README.md
---@field op "create"|"update"|"delete"|"rotate"|"write"|"pipe"
---@field new? string
---@field sitekey? string
---@field account? string where it is not the configured one
---@field saw? table<string, any>
---@field set? table<string, any>
---@field invalidate_immediately? boolean
---@field path? string
---@field replace? boolean
---@field command? string[]
---@field timeout? number

---@class steps.options
---@field done? table<integer, boolean> numbers of the steps that were carried out before
---@field sitekeys? table<string, string> of the widgets that those made, by placeholder
---@field on_stale? "stop"|"skip" what a widget that is not as expected does to steps not begun
---@field found? table what `steps_look.read` gave for the same steps
---@field label? string of the progress display

---@class steps.rest a step that was not begun
---@field number integer
---@field why string

---What a plan as a whole takes of permissions, for `run.shortage`.
---@param list steps.step[]
---@param done? table<integer, boolean>
function steps.needs(list, done)
  local needs = { deliveries = 0 }
  local function add(kind)
    needs[kind] = (needs[kind] or 0) + 1
  end
  for i, step in ipairs(list) do
    local domains, before = step.set and step.set.domains, step.saw and step.saw.domains
    local opens = domains and #domains == 0 and not (before and #before == 0)
    if not (done and done[i]) then -- else it was counted when it was carried out
      add(WRITES[step.op] and step.op or "deliveries")
      if opens then
        add "any-hostname"
      end
    end
  end
  return needs
end

-- What steps have in common that must come one after the other.
local function keys_of(step)
  local keys = { "widget " .. (step.new or step.sitekey) }
  if step.path then
    keys[2] = "file " .. step.path
  elseif step.command then
    keys[2] = "command " .. table.concat(step.command, "\0")
  end
  return keys
end

-- The numbers of the steps in chains, each in order, and the chains by their first step.
local function chains_of(list)
  local parent, first_with = {}, {}
  local function root(i)
    while parent[i] ~= i do
      parent[i] = parent[parent[i]]
      i = parent[i]
    end
    return i
  end
  for i, step in ipairs(list) do
    parent[i] = i
    for _, key in ipairs(keys_of(step)) do
      local other = first_with[key]
      if other then
        local a, b = root(other), root(i)
        parent[math.max(a, b)] = math.min(a, b)
      else
        first_with[key] = i
      end
    end
  end
  local chains, by_root = {}, {}
  for i in ipairs(list) do
    local chain = by_root[root(i)]
    if not chain then
      chain = {}
      by_root[root(i)], chains[#chains + 1] = chain, chain
    end
    chain[#chain + 1] = i
  end
  return chains
end

-- What carries out a step. Each gives true, or false when it failed, which was noted then.
local act = {}

-- The real sitekey that a step means.
local function real(self, step)
  return self.sitekeys[step.sitekey] or step.sitekey
end

-- A row may be as the plan saw it or not: that is told as the write begins.
local function subject_of(self, step)
  local sitekey = real(self, step)
  return self.rows[sitekey] or sitekey
end

local function is_stale(self, err)
  if err.kind == "stale" and self.on_stale == "stop" then
    self.is_stopped = true
  end
end

function act.create(self, step)
  local writes = self.client_of(step.account).writes
  local twin = self.twins[steps_look.twin_key(step.account or "", step.set)]
  local widget, err
  if twin then
    widget, err = writes.refuse("create", step.set.name, ("somebody else has made one with this name, "
      .. "these domains and this mode since the plan: %s; nothing was sent"):format(twin))
  else
    widget, err = writes.create(step.set)
  end
  if not widget then
    is_stale(self, err)
    return false
  end
  if step.new then
    self.sitekeys[step.new] = widget.sitekey
  end
  self.rows[widget.sitekey], self.has_secret[widget.sitekey] = widget, true
  return true
end

function act.update(self, step)
  local sitekey = real(self, step)
  local writes = self.client_of(step.account).writes
  local widget, err = writes.update(subject_of(self, step), step.set, step.saw)
  if not widget then
    is_stale(self, err)
    return false
  end
  self.rows[sitekey], self.has_secret[sitekey] = widget, rawget(widget, "secret") ~= nil
  return true
end

function act.delete(self, step)
  local writes = self.client_of(step.account).writes
  local is_done, err = writes.delete(subject_of(self, step), step.saw)
  if not is_done then
    is_stale(self, err)
    return false
  end
  self.rows[real(self, step)] = nil
  return true
end

function act.rotate(self, step)
  local sitekey = real(self, step)
  local writes = self.client_of(step.account).writes
  -- Not over a row of a list, which has no secret to tell afterwards whether it was rotated.
  local subject = self.has_secret[sitekey] and self.rows[sitekey] or sitekey
  local options = { invalidate_immediately = step.invalidate_immediately == true }
  local widget, err = writes.rotate_secret(subject, options, step.saw)
  if not widget then
    is_stale(self, err)
    return false
  end
  self.rows[sitekey], self.has_secret[sitekey] = widget, true
  return true
end

-- The real widget with its secret, read unless a step before has brought it.
local function with_secret(self, step)
  local sitekey = real(self, step)
  if self.has_secret[sitekey] then
    return self.rows[sitekey]
  end
  local widget, err = self.client_of(step.account).widgets.get(sitekey)
  if not widget then
    run.note("secret:" .. step.op, sitekey, "reading the secret: " .. err.message)
    return nil
  end
  self.rows[sitekey], self.has_secret[sitekey] = widget, true
  return widget
end

function act.write(self, step)
  local widget = with_secret(self, step)
  return widget ~= nil and widget.secret:write(step.path, { replace = step.replace == true }) == true
end

function act.pipe(self, step)
  local widget = with_secret(self, step)
  local command = table.move(step.command, 1, #step.command, 1, { timeout = step.timeout })
  return widget ~= nil and widget.secret:pipe(command) == true
end

-- Carries out the steps of a chain that are left. What a failed write leaves undone is not begun.
local function carry_out(self, chain)
  local failed = {} -- number of the step that failed, by sitekey
  for _, number in ipairs(chain) do
    local step = self.list[number]
    local name = step.new or step.sitekey
    local why = failed[name] and ("step %d failed"):format(failed[name])
      or self.is_stopped and "another step met a change"
    if why and not self.done[number] then
      self.rest[#self.rest + 1] = { number = number, why = why }
    elseif not self.done[number] then
      run.set_step(number)
      local is_done = act[step.op](self, step)
      run.set_step(0)
      self.done_count = self.done_count + (is_done and 1 or 0)
      if not is_done and WRITES[step.op] then
        failed[name] = number
      end
    end
  end
  for _, number in ipairs(chain) do -- nothing comes to it any more
    local step = self.list[number]
    local sitekey = self.sitekeys[step.new or step.sitekey] or step.sitekey
    if sitekey then
      self.rows[sitekey], self.has_secret[sitekey] = nil, nil
    end
  end
end

---Carries out the steps. Failures are in ledger and journal, each with its step.
---@param list steps.step[]
---@param options? steps.options
---@return { done: integer, rest: steps.rest[], sitekeys: table<string, string> }
function steps.run(list, options)
  options = options or {}
  local found = options.found or steps_look.read(list, options)
  local self = {
    list = list,
    done = options.done or {},
    sitekeys = {},
    rows = found.rows,
    twins = found.twins,
    has_secret = {},
    on_stale = options.on_stale or "stop",
    client_of = steps_look.clients(),
    done_count = 0,
    rest = {},
  }
  for placeholder, sitekey in pairs(options.sitekeys or {}) do
    self.sitekeys[placeholder] = sitekey
  end
  local concurrency = run.settings()
  task.each(chains_of(list), function(chain)
    carry_out(self, chain)
    return true
  end, { concurrency = concurrency, progress = options.label or "Applying" })
  table.sort(self.rest, function(a, b) return a.number < b.number end)
  return { done = self.done_count, rest = self.rest, sitekeys = self.sitekeys }
end

---What a step does, in a few words: "update 0x4AAA...".
---@param step steps.step
function steps.told(step)
  if step.op == "create" then
    return ('create "%s"'):format(step.set.name)
  elseif step.op == "write" then
    return ("write the secret of %s to %s"):format(step.sitekey, step.path)
  elseif step.op == "pipe" then
    return ("pass the secret of %s to %s"):format(step.sitekey, step.command[1])
  end
  return step.op .. " " .. step.sitekey
end

local SHOWN = 50

---Warns of the steps that were not begun.
---@param list steps.step[]
---@param rest steps.rest[]
function steps.warn_rest(list, rest)
  for i, item in ipairs(rest) do
    if i > SHOWN then
      log.warn(("  and %d more"):format(#rest - SHOWN))
      break
    end
    log.warn(("not done: step %d: %s, because %s"):format(item.number, steps.told(list[item.number]),
      item.why))
  end
end

return lx.seal("steps", steps)
