-- SPDX-License-Identifier: MIT
-- Module `task`: work that runs side by side, written as if each piece ran alone.
-- The native half is bindings/task.c; core.pcall is Lua's own, which also catches what ends the
-- task: what it caught is always raised again.
local core = require "tshost.task_core"
local lx = require "tshost.lx"
local progress = require "tshost.progress"

local task = { spawn = core.spawn, sleep = core.sleep, cancel = core.cancel }

local OPTIONS = { "concurrency", "progress", "total", "on_error" }
local DEFAULT_CONCURRENCY = 16
local FIRST_WORKERS = 16 -- of an iterator, which does not tell how many items it has
local MAX_SECONDS = 1e9

local function check_option(options, name, key, kind)
  local value = options and options[key]
  if value ~= nil and type(value) ~= kind then
    lx.misuse(("%s: `%s` must be a %s, is a %s"):format(name, key, kind, type(value)))
  end
  return value
end

-- Checks the arguments of each and map, and gives what is to be done.
local function check_call(name, items, fn, options)
  local kind = type(items)
  if kind ~= "table" and kind ~= "function" then
    lx.misuse(name .. ": an array or an iterator expected, got " .. kind)
  elseif items == next then
    lx.misuse(name .. ": an iterator that stands alone expected; pairs needs its table as well")
  elseif type(fn) ~= "function" then
    lx.misuse(name .. ": a function expected, got " .. type(fn))
  end
  lx.check_options(options, name, OPTIONS)
  local limit = options and options.concurrency or DEFAULT_CONCURRENCY
  if math.type(limit) ~= "integer" or limit < 1 then
    lx.misuse(name .. ": `concurrency` must be a whole number from 1")
  end
  local on_error = check_option(options, name, "on_error", "string") or "stop"
  if on_error ~= "stop" and on_error ~= "collect" then
    lx.misuse(('%s: `on_error` must be "stop" or "collect", is "%s"'):format(name, on_error))
  end
  local total = options and options.total
  if total ~= nil and (math.type(total) ~= "integer" or total < 0) then
    lx.misuse(name .. ": `total` must be a whole number from 0")
  end
  local label = check_option(options, name, "progress", "string")
  if label == "" then
    lx.misuse(name .. ": `progress` must be a label, is empty")
  end
  return {
    items = items,
    fn = fn,
    limit = limit,
    errors = on_error == "collect" and {} or nil,
    label = label,
    total = total,
  }
end

-- Items one at a time, whatever they come from; an array ends at its first nil.
local function puller(items)
  if type(items) == "function" then
    return items
  end
  local i = 0
  return function()
    i = i + 1
    return items[i]
  end
end

-- A function that gives the next item and its index to whichever worker asks, and nil when there
-- are no more. The iterator may wait, so only one asks it at a time; the others queue up. The
-- second function ends it: nobody gets an item any more.
local function dispenser(items)
  local pull = puller(items)
  local index, is_over, is_pulling = 0, false, false
  local queue, first, last = {}, 1, 0

  local function wake_next()
    if first <= last then
      local waiting = queue[first]
      queue[first] = nil
      first = first + 1
      core.wake(waiting)
    end
  end

  local function take()
    while is_pulling and not is_over do
      last = last + 1
      local place = last
      queue[place] = core.self()
      repeat -- a wake that is for something else, as of an inner each, leaves it in its place
        core.park()
      until not queue[place]
    end
    local item
    if not is_over then
      is_pulling = true
      item = pull()
      is_pulling = false
      is_over = is_over or item == nil
    end
    wake_next()
    if is_over then
      return nil
    end
    index = index + 1
    return item, index
  end

  local function stop()
    is_over = true
    wake_next()
  end
  return take, stop, function() return index end
end

-- Calls call.fn(item, index) for every item, at most call.limit at a time, on tasks that take one
-- item after the other. The first error ends it all, unless errors are collected.
local function run(call)
  local me, workers = core.self(), {}
  local fn, results, errors = call.fn, call.results, call.errors
  local take, stop, count = dispenser(call.items)
  -- A table with a metatable may make its items up.
  local is_array = type(call.items) == "table" and getmetatable(call.items) == nil
  local total = is_array and #call.items or nil
  local job <close> = call.label and progress.start(call.label, call.total or total)
  local running, has_failed = 0, false
  local failure, origin -- the first error and its traceback

  -- Allocates nothing: the lack of memory may be what failed.
  local function fail(problem, traceback)
    if not has_failed then
      has_failed, failure, origin = true, problem, traceback
    end
    stop()
    core.wake(me)
  end

  local start_worker

  local function serve()
    local item, index = take()
    while item ~= nil do
      if not total and #workers < call.limit then
        start_worker()
      end
      local ok, result, traceback = core.attempt(fn, item, index)
      if job then
        -- Behind an `ok` the third is the function's second result, an error beside a nil.
        progress.advance(job, not ok or result == nil and traceback ~= nil)
      end
      if ok then
        if results then
          results[index] = result
        end
      elseif errors then
        errors[#errors + 1] =
          { index = index, item = item, error = result, traceback = traceback }
      else
        return fail(result, traceback)
      end
      item, index = take()
    end
  end

  local function work()
    local is_alive, ok, problem, traceback = core.pcall(core.attempt, serve)
    running = running - 1
    if not is_alive then
      fail(ok) -- cancelled, or the run ends
    elseif not ok then
      fail(problem, traceback) -- of the iterator
    elseif running == 0 then
      core.wake(me)
    end
  end

  function start_worker()
    workers[#workers + 1] = core.spawn_under(me, work)
    running = running + 1
  end

  local ok, problem = core.pcall(function()
    for _ = 1, math.min(call.limit, total or FIRST_WORKERS) do
      start_worker()
    end
    while running > 0 and not has_failed do
      core.park()
    end
  end)
  stop()
  if not (ok and errors) and not core.is_ending() then
    for _, worker in ipairs(workers) do
      core.cancel(worker)
    end
  end
  for _, worker in ipairs(workers) do
    core.shield(core.pcall, core.await, worker) -- nobody is left behind
  end
  core.close_list(call.items)
  if not ok then
    error(problem, 0)
  elseif has_failed then
    core.raise(failure, origin)
  end
  if errors then
    table.sort(errors, function(a, b) return a.index < b.index end)
  end
  return count(), errors
end

---Calls `fn(item, index)` for every item of an array or iterator, several at a time.
function task.each(items, fn, options)
  return run(check_call("task.each", items, fn, options))
end

---The same, collecting the first result of each call in the order of the items.
function task.map(items, fn, options)
  local call = check_call("task.map", items, fn, options)
  call.results = {}
  return call.results, run(call)
end

local function timeout_end(handle, seconds, ok, ...)
  if core.status(handle) == "running" then
    -- This task is cancelled, or the run ends: the work goes first.
    if not core.is_ending() then
      core.cancel(handle)
    end
    core.shield(core.pcall, core.await, handle)
  elseif not ok then
    local none, err = core.timed_out(handle, seconds)
    if err then
      return none, err
    end
  end
  if not ok then
    error((...), 0)
  end
  return ...
end

---Calls `fn(...)` and gives its results; nil and an error of kind "timeout" when it has not ended
---after so many seconds, and was cancelled.
function task.with_timeout(seconds, fn, ...)
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds <= MAX_SECONDS) then
    lx.misuse "task.with_timeout: seconds expected, a number from 0 to 1e9"
  elseif type(fn) ~= "function" then
    lx.misuse("task.with_timeout: a function expected, got " .. type(fn))
  end
  local handle = core.spawn(fn, ...)
  core.limit(handle, seconds)
  return timeout_end(handle, seconds, core.pcall(core.await, handle))
end

return lx.seal("task", task)
