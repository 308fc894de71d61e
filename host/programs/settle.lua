-- SPDX-License-Identifier: MIT
-- What became of operations whose end a run has not noted, found out by reading: they were applied,
-- they were not, or it cannot be told. Nothing is sent here that changes anything.
local account_core = require "tshost.program.account_core"
local cjson = require "cjson"
local journal = require "tshost.journal"
local native = require "tshost.replay_core"
local replay = require "tshost.replay"
local task = require "task"

local MARGIN = 2000000 -- microseconds between clocks of the service's machines, and a Date of whole seconds
-- How far this machine's clock may have been set back since the run: what seems to have been made before
-- it was asked for may be what was asked for, and is not made once more.
local SET_BACK = 24 * 3600 * 1000000
local PER_PAGE, PAGES = 100, 100
local LOOKS, PAUSE = 3, 0.3 -- what was lost a moment ago may still be under way
local RECENT = 60000000

---@class settle.verdict
---@field operation table
---@field state "done"|"not_applied"|"unknown"
---@field why string
---@field sitekey? string
---@field is_unread? boolean it could not be read
---@field live? table the widget as it is now

local function verdict(operation, state, why, live)
  return { operation = operation, state = state, why = why, live = live }
end

local function is_missing(problem)
  return problem.kind == "api" and problem.status == 404
end

local function cannot_read(operation, problem)
  local found = verdict(operation, "unknown", "reading it: " .. problem.message)
  found.is_unread = true
  return found
end

local function quoted(value)
  if type(value) == "table" then
    return table.concat(value, " ")
  end
  return type(value) == "string" and '"' .. value .. '"' or tostring(value)
end

local function is_recent(core, operation)
  local started = core.time(operation.started)
  return started and native.clock() - started < RECENT
end

-- Looks again for a while as long as nothing has come of an operation that is not old.
local function look(core, operation, judge)
  local found = judge()
  for _ = 2, is_recent(core, operation) and LOOKS or 1 do
    if found.state ~= "not_applied" then
      break
    end
    task.sleep(PAUSE)
    found = judge()
  end
  return found
end

-- The service's clock at the least when our wall clock said `moment`; nil when it does not tell.
local function service_time(info, moment)
  return info.date_us and moment and info.date_us - (native.clock() - moment) - MARGIN
end

local judges = {}

function judges.update(core, operation)
  local live, problem = core.peek(operation.sitekey)
  if not live then
    if is_missing(problem) then
      return verdict(operation, "not_applied", "the widget is gone")
    end
    return cannot_read(operation, problem)
  end
  local as_sent, as_before, other = 0, 0, nil
  local changed = replay.changed(operation)
  for _, name in ipairs(changed) do
    if replay.is_same(live[name], operation.body[name]) then
      as_sent = as_sent + 1
    elseif operation.before and replay.is_same(live[name], operation.before[name]) then
      as_before = as_before + 1
    else
      other = name
    end
  end
  if as_before == 0 and (as_sent > 0 or #changed == 0) then
    return verdict(operation, "done", other and ("as sent, but for `%s`, which somebody has changed "
      .. "since"):format(other) or "it is as it was sent", live)
  elseif as_before > 0 and as_sent == 0 then
    return verdict(operation, "not_applied", "it is as it was before", live)
  elseif other and as_sent + as_before == 0 then
    return verdict(operation, "unknown", ("somebody has changed `%s` since: it was %s, %s was sent, and "
      .. "it is %s"):format(other, quoted(operation.before and operation.before[other]),
      quoted(operation.body[other]), quoted(live[other])), live)
  end
  return verdict(operation, "unknown", "somebody has changed it since: some fields are as sent, some as "
    .. "before", live)
end

function judges.delete(core, operation)
  local live, problem = core.peek(operation.sitekey)
  if live then
    return verdict(operation, "not_applied", "it is still there", live)
  elseif is_missing(problem) then
    return verdict(operation, "done", "it is gone")
  end
  return cannot_read(operation, problem)
end

-- Whether all fields that the image has are the same in the widget.
local function is_same_otherwise(image, live)
  for name, value in pairs(image) do
    if name ~= "modified_on" and value ~= cjson.null and live[name] ~= nil
      and not replay.is_same(value, live[name]) then
      return false
    end
  end
  return true
end

function judges.rotate(core, operation)
  local live, info = core.peek(operation.sitekey)
  if not live then
    if is_missing(info) then
      return verdict(operation, "not_applied", "the widget is gone")
    end
    return cannot_read(operation, info)
  end
  local before = operation.before or {}
  local modified = core.time(live.modified_on)
  local least = service_time(info, core.time(operation.started))
  if operation.before_mark and native.mark(live.secret) == operation.before_mark then
    return verdict(operation, "not_applied", "its secret is the one from before", live)
  elseif modified and (modified == core.time(before.modified_on)
    or least and modified < least - SET_BACK) then
    return verdict(operation, "not_applied", "it was not modified since", live)
  elseif modified and least and modified < least then
    return verdict(operation, "unknown", "it was modified before that, unless a clock was set", live)
  elseif operation.before_mark then
    return verdict(operation, "done", "its secret is another one than before", live)
  elseif modified and before.modified_on and is_same_otherwise(before, live) then
    return verdict(operation, "done", "it was modified since, and nothing but its secret can differ",
      live)
  end
  return verdict(operation, "unknown", "it was modified since, and what its secret was is not known",
    live)
end

-- The file tells what it is.
function judges.write(core, operation)
  local live, problem = core.peek(operation.sitekey)
  if not live and not is_missing(problem) then
    return cannot_read(operation, problem)
  end
  local is_there = live and native.mark(live.secret) == operation.before_mark
    and native.holds(operation.body.path, live.secret)
  return verdict(operation, is_there and "done" or "not_applied",
    is_there and "the file holds it" or "the file does not hold it")
end

function judges.pipe(_, operation)
  return verdict(operation, "not_applied", ("whether %s got the secret cannot be told; it will be "
    .. "delivered again"):format(operation.body.command[1]))
end

-- Rows of the list that may be what creates of this name have made, oldest first; whether it is known
-- what the service's clock said at `since`; and those that were made a little too early for it.
local function read_created(core, name, since)
  local options = { order = "created_on", direction = "desc", per_page = PER_PAGE }
  if not name:find("\0", 1, true) then
    options.filter = "name:" .. name
  end
  local found, early, met, least, last, is_sorted = {}, {}, {}, nil, math.maxinteger, true
  for page = 1, PAGES do
    local rows, info = core.page(options, page)
    if not rows then
      return nil, info
    end
    least = least or service_time(info, since) or math.mininteger
    local earliest = least > math.mininteger and least - SET_BACK or least
    for _, row in ipairs(rows) do
      local created = core.time(row.created_on) or math.maxinteger
      is_sorted = is_sorted and created <= last
      last = created
      if created >= earliest and type(row.sitekey) == "string" and not met[row.sitekey] then
        met[row.sitekey] = true
        table.insert(created >= least and found or early, 1, row)
      end
    end
    if #rows < (info.per_page or PER_PAGE) or is_sorted and last < earliest then
      return found, least > math.mininteger, early
    end
  end
  return nil, { message = "the list does not end" }
end

local function is_twin(row, body)
  return row.name == body.name and row.mode == body.mode and replay.is_same(row.domains, body.domains)
end

-- The sitekeys of the rows that may be what the operation has made, and are not known from others.
local function twins_of(operation, rows)
  local found = {}
  for _, row in ipairs(rows) do
    if is_twin(row, operation.body) and not native.is_foreign(operation.operation, row.sitekey) then
      found[#found + 1] = row.sitekey
    end
  end
  return found
end

-- Creates that sent the same name, domains and mode: what is found may be any of theirs.
local function judge_creates(core, operations)
  local oldest = operations[1]
  local rows, is_dated, early = read_created(core, oldest.body.name, core.time(oldest.started))
  local verdicts = {}
  if not rows then
    for i, operation in ipairs(operations) do
      verdicts[i] = cannot_read(operation, is_dated)
    end
    return verdicts
  end
  local found, doubtful = twins_of(oldest, rows), twins_of(oldest, early)
  for i, operation in ipairs(operations) do
    if #found > #operations or #found > 0 and not is_dated then
      verdicts[i] = verdict(operation, "unknown", "it may have become " .. table.concat(found, " or "))
    elseif not found[i] and #doubtful > 0 then
      verdicts[i] = verdict(operation, "unknown", ("%s is like it and seems to have been made before; if "
        .. "a clock was set, it is this"):format(doubtful[#doubtful]))
    elseif not found[i] then
      verdicts[i] = verdict(operation, "not_applied",
        "there is no such widget that was made since")
    else
      local live, problem = core.peek(found[i])
      verdicts[i] = live and verdict(operation, "done",
        "there is one with its name, domains and mode, made since", live)
        or cannot_read(operation, problem)
      verdicts[i].sitekey = found[i]
    end
  end
  return verdicts
end

local function settle_creates(core, operations)
  local verdicts = judge_creates(core, operations)
  for _ = 2, is_recent(core, operations[#operations]) and LOOKS or 1 do
    local is_open = false
    for _, found in ipairs(verdicts) do
      is_open = is_open or found.state == "not_applied"
    end
    if not is_open then
      break
    end
    task.sleep(PAUSE)
    verdicts = judge_creates(core, operations)
  end
  return verdicts
end

-- Creates by what could tell them apart, each group in the order of the journal.
local function groups_of(operations)
  local groups, by_key = {}, {}
  for _, operation in ipairs(operations) do
    if operation.op == "create" then
      local group
      for _, other in ipairs(by_key[operation.body.name] or {}) do
        if is_twin(other[1].body, operation.body) and other[1].account == operation.account then
          group = other
        end
      end
      if not group then
        group = {}
        groups[#groups + 1] = group
        by_key[operation.body.name] = by_key[operation.body.name] or {}
        table.insert(by_key[operation.body.name], group)
      end
      group[#group + 1] = operation
    end
  end
  return groups
end

local function record(found)
  local operation, live = found.operation, found.live
  local is_done = found.state == "done"
  local has_secret = operation.op == "create" or operation.op == "rotate"
  local after = is_done and live and native.image(live) or nil
  local mark = is_done and live and has_secret and native.mark(live.secret) or nil
  operation.state = found.state
  if after then
    operation.sitekey, operation.after, operation.after_mark = live.sitekey, cjson.decode(after), mark
  end
  journal.settle(operation.operation, {
    state = found.state,
    sitekey = operation.sitekey,
    after = after,
    after_mark = mark,
    error = not is_done and found.why or nil,
  })
end

---Whether it is not known what became of an operation of a run that is over.
local function is_in_doubt(operation)
  return operation.state == "intent" or operation.state == "unknown"
end

---Settles what is in doubt, and notes it in the journal.
---@param operations table[] of runs whose processes are gone, as the journal has them
---@param if_unknown "stop"|"done"|"not-applied" how to take what reading cannot tell; no create is
---taken as done, since nobody could say which widget it made
---@return settle.verdict[] in the order of the operations
return function(operations, if_unknown)
  local doubts, verdicts = {}, {}
  for _, operation in ipairs(operations) do
    if is_in_doubt(operation) then
      doubts[#doubts + 1] = operation
    end
  end
  for _, group in ipairs(groups_of(doubts)) do
    for _, found in ipairs(settle_creates(account_core(group[1].account), group)) do
      verdicts[found.operation.operation] = found
    end
  end
  task.each(doubts, function(operation)
    local judge = judges[operation.op]
    if judge then
      local core = account_core(operation.account)
      verdicts[operation.operation] = look(core, operation, function()
        return judge(core, operation)
      end)
    end
    return true
  end)
  local list = {}
  for i, operation in ipairs(doubts) do
    local found = verdicts[operation.operation]
    local is_open = found.state == "unknown" and not found.is_unread
    if is_open and if_unknown == "not-applied" then
      found.state, found.why = "not_applied", found.why .. "; taken as not applied"
    elseif is_open and if_unknown == "done" and operation.op ~= "create" then
      found.state, found.why = "done", found.why .. "; taken as applied" -- of a create: which is it?
    end
    record(found)
    list[i] = found
  end
  return list
end
