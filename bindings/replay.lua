-- SPDX-License-Identifier: MIT
-- What a script that is resumed asks for again, and the run has done before: it is answered from the
-- journal, with the widget as it is now, and not sent.
--
-- Which operation answers: a creation by what it sends, the first of those that sent the same; any
-- other by widget and operation, in the order of the journal. An update answers only one that sets the
-- same fields, and of domains the same ones: a script that looks before it writes skips what it finds
-- done, and must not get the answer of what it skipped in place of the next.
local cjson = require "cjson"
local native = require "tshost.replay_core"
local log = require "log"
local lx = require "tshost.lx"

local replay = {}

local creates = {} -- lists of operations by account and body
local changes_of = {} -- by operation, account and sitekey
local pipes = {} -- by sitekey, fingerprint and words
local hidden = {} -- sitekeys of widgets that the script has not asked for yet
local owners = {} -- sitekeys by fingerprint of a secret that the run has got
local marks = {} -- the last fingerprint that the run knows of a widget's secret
local is_warned = {}
local all = {}

local SEPARATOR = "\0"
local NOT_FOUND = 2

local function is_field(value)
  return value ~= nil and type(value) ~= "userdata" -- cjson.null
end

-- A decoded body in one text, the same for all that mean the same.
local function text_of(value)
  if type(value) ~= "table" then
    return ("%s:%s"):format(type(value), tostring(value))
  end
  local parts = {}
  for key, item in pairs(value) do
    local name = type(key) == "string" and key .. "=" or "" -- items of a list are a set
    parts[#parts + 1] = name .. text_of(item)
  end
  table.sort(parts)
  return "{" .. table.concat(parts, SEPARATOR) .. "}"
end

local function key_of(...)
  return table.concat({ ... }, SEPARATOR)
end

local function add(lists, key, operation)
  lists[key] = lists[key] or {}
  table.insert(lists[key], operation)
end

local function set_of(domains)
  local set = {}
  for _, domain in ipairs(domains) do
    set[tostring(domain):lower()] = true
  end
  return set
end

---Whether two values of a field mean the same: domains are a set.
function replay.is_same(one, other)
  if type(one) ~= "table" or type(other) ~= "table" then
    return one == other
  end
  local ours, theirs = set_of(one), set_of(other)
  for domain in pairs(ours) do
    if not theirs[domain] then
      return false
    end
  end
  for domain in pairs(theirs) do
    if not ours[domain] then
      return false
    end
  end
  return true
end

---The names of the fields that an update has changed.
function replay.changed(operation)
  local names = {}
  for name, value in pairs(operation.body or {}) do
    local before = operation.before and operation.before[name]
    if is_field(value) and not (is_field(before) and replay.is_same(value, before)) then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

-- Whether a write has left a widget open to any hostname that was not before.
local function opens(operation)
  local domains = operation.body and operation.body.domains
  local before = operation.before and operation.before.domains
  return type(domains) == "table" and #domains == 0 and (operation.op == "create"
    or type(before) == "table" and #before > 0)
end

local WRITES = { create = true, update = true, delete = true, rotate = true }

local function permissions_of(operation)
  return { operation.op, opens(operation) and "any-hostname" or nil }
end

-- It is asked for again.
local function answer(operation)
  operation.is_answered = true
  for _, kind in ipairs(permissions_of(operation)) do
    native.answered(kind)
  end
end

-- The file of a hidden widget's secret is hidden as well: a script that finds the one without the
-- other could not make sense of it.
local function is_hidden_file(path)
  local mark = type(path) == "string" and not path:find "\0" and native.file_mark(path)
  return mark and hidden[owners[mark]] or false
end

local function hide_files()
  local fs = require "fs"
  for _, name in ipairs { "exists", "is_file" } do
    local plain = fs[name]
    fs[name] = function(path)
      return not is_hidden_file(path) and plain(path)
    end
  end
  local open = io.open
  rawset(io, "open", function(path, mode, ...)
    if (mode == nil or mode == "r" or mode == "rb") and is_hidden_file(path) then
      return nil, path .. ": No such file or directory", NOT_FOUND
    end
    return open(path, mode, ...)
  end)
end

---Counts what was done before as used, and as what may be asked for again.
function replay.count(operations)
  for _, operation in ipairs(operations) do
    if operation.state == "done" and WRITES[operation.op] then
      for _, kind in ipairs(permissions_of(operation)) do
        native.use(kind, 1)
      end
    end
  end
end

---What the run and its resumes have done, in the order of the journal.
function replay.load(operations)
  for _, operation in ipairs(operations) do
    local op, account = operation.op, operation.account or ""
    if operation.state == "done" and op ~= "write" then
      all[#all + 1] = operation
      if op == "create" then
        add(creates, key_of(account, text_of(operation.body)), operation)
        hidden[operation.sitekey] = true
      elseif op == "pipe" then
        add(pipes, key_of(operation.sitekey or "", operation.before_mark or "",
          table.concat(operation.body.command, SEPARATOR)), operation)
      else
        add(changes_of, key_of(op, account, operation.sitekey), operation)
      end
      if op == "create" or op == "rotate" then
        marks[operation.sitekey] = operation.after_mark
        owners[operation.after_mark or ""] = operation.sitekey
      end
    end
  end
  replay.count(operations)
  if next(hidden) then
    native.hide(hidden)
    hide_files()
  end
end

---Operations that were done, and that the script has not asked for again.
function replay.rest()
  local rest = {}
  for _, operation in ipairs(all) do
    if not operation.is_answered then
      rest[#rest + 1] = operation
    end
  end
  return rest
end

-- The first of the list that has not answered yet and fits.
local function first(list, fits)
  for _, operation in ipairs(list or {}) do
    if not operation.is_answered and (not fits or fits(operation)) then
      return operation
    end
  end
end

---Whether a file holds a secret of the widget that the run has got. It is not the one that is valid
---now, so the run has rotated it since, and was killed before it wrote the new one.
function replay.is_outdated(sitekey, path)
  local mark = native.file_mark(path)
  return mark ~= nil and owners[mark] == sitekey
end

---Whether a command has got this secret before.
function replay.has_piped(sitekey, mark, words)
  local operation = first(pipes[key_of(sitekey, mark, table.concat(words, SEPARATOR))])
  if operation then
    operation.is_answered = true
    native.answered()
  end
  return operation ~= nil
end

local function check_mark(widget)
  local known = marks[widget.sitekey]
  local mark = native.mark(rawget(widget, "secret"))
  if known and mark and known ~= mark and not is_warned[widget.sitekey] then
    is_warned[widget.sitekey] = true
    log.warn(("%s: its secret has been rotated since the run that is resumed; "
      .. "the script gets the one that is valid now"):format(widget.sitekey))
  end
  return widget
end

-- The widget as the journal has it, of one that is gone: the run has deleted it later, or somebody
-- else has. Its secret is gone as well.
local function as_recorded(operation)
  local widget = { sitekey = operation.sitekey }
  for name, value in pairs(operation.after or operation.body or {}) do
    widget[name] = value
  end
  return widget
end

-- The widget that an operation is answered with.
local function widget_of(core, operation)
  local widget, err = core.peek(operation.sitekey)
  if widget then
    return check_mark(widget)
  elseif err.kind == "api" and err.status == 404 then
    return as_recorded(operation)
  end
  return core.read(operation.sitekey, operation.op) -- again, as a failure that counts
end

---The half of a client with the replay in front.
function replay.wrap(core, half)
  local self = {}
  for name, value in pairs(half) do
    self[name] = value
  end
  local account

  local function list_of(op, sitekey)
    account = account or core.account()
    return changes_of[key_of(op, account, sitekey)]
  end

  function self.create(wanted, ...)
    local body = cjson.decode(core.of_creation(wanted))
    account = account or core.account()
    local operation = first(creates[key_of(account, text_of(body))])
    if not operation then
      return half.create(wanted, ...)
    end
    answer(operation)
    hidden[operation.sitekey] = nil
    return widget_of(core, operation)
  end

  -- The update that answers these changes.
  local function find_update(list, wanted, changes)
    local function sets_the_same(operation)
      for _, name in ipairs(operation.changed) do
        if wanted[name] == nil then
          return false
        end
      end
      return true
    end
    local function is_exact(operation)
      return sets_the_same(operation) and not core.differs(operation.body, changes)
    end
    for _, operation in ipairs(list) do
      operation.changed = operation.changed or replay.changed(operation)
    end
    return first(list, is_exact) or wanted.domains == nil and first(list, sets_the_same) or nil
  end

  function self.update(subject, wanted, ...)
    local sitekey, changes = core.of_update(subject, wanted)
    local list = list_of("update", sitekey)
    local operation = list and find_update(list, wanted, changes)
    if not operation then
      return half.update(subject, wanted, ...)
    end
    answer(operation)
    if type(subject) == "table" and core.known(subject) and not core.differs(subject, changes) then
      return subject
    end
    return widget_of(core, operation)
  end

  function self.delete(subject, ...)
    local operation = first(list_of("delete", core.check_delete(subject)))
    if not operation then
      return half.delete(subject, ...)
    end
    answer(operation)
    return true
  end

  function self.rotate_secret(subject, options, ...)
    local operation = first(list_of("rotate", (core.check_rotate(subject, options))))
    if not operation then
      return half.rotate_secret(subject, options, ...)
    end
    answer(operation)
    return widget_of(core, operation)
  end

  return self
end

return lx.seal("replay", replay)
