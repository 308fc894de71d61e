-- SPDX-License-Identifier: MIT
-- Module `task`: work that runs side by side, written as if each piece ran alone.
-- The native half (spawn, sleep, park, wake, and the handles) is bindings/task.c; core.pcall is
-- Lua's own, which also catches the end of the run.
local core = require "tshost.task_core"
local lx = require "tshost.lx"
local progress = require "tshost.progress"

local task = { spawn = core.spawn, sleep = core.sleep }

local OPTIONS = { "concurrency", "progress", "total" }
local DEFAULT_CONCURRENCY = 16

local function check_call(name, items, fn, options)
  local kind = type(items)
  if kind ~= "table" and kind ~= "function" then
    lx.misuse(name .. ": an array or an iterator expected, got " .. kind)
  end
  if type(fn) ~= "function" then
    lx.misuse(name .. ": a function expected, got " .. type(fn))
  end
  lx.check_options(options, name, OPTIONS)
  local limit = options and options.concurrency or DEFAULT_CONCURRENCY
  if math.type(limit) ~= "integer" or limit < 1 then
    lx.misuse(name .. ": `concurrency` must be a whole number from 1")
  end
  local label, total = options and options.progress, options and options.total
  if label ~= nil and (type(label) ~= "string" or label == "") then
    lx.misuse(name .. ": `progress` must be a label, is " .. (label == "" and "empty" or type(label)))
  elseif total ~= nil and (math.type(total) ~= "integer" or total < 0) then
    lx.misuse(name .. ": `total` must be a whole number from 0")
  end
  return limit, label, total
end

-- The job that is shown. A table with a metatable may make its items up.
local function start_job(items, label, total)
  if not total and type(items) == "table" and getmetatable(items) == nil then
    total = #items
  end
  return label and progress.start(label, total)
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

-- Calls fn(item, index) for every item, at most `limit` at a time. The first error stops the handing
-- out of items; those under way are awaited, then it is raised again.
local function run(items, fn, limit, job)
  local me = core.self()
  local pull = puller(items)
  local running, failed, failure = 0, false, nil

  local function work(item, index)
    local ok, problem, err = core.pcall(fn, item, index)
    running = running - 1
    if job then
      progress.advance(job, not ok or problem == nil and err ~= nil)
    end
    if not ok and not failed then
      failed, failure = true, problem
    end
    core.wake(me)
  end

  local function settle()
    while running > 0 do
      core.park()
    end
  end

  local index = 0
  local ok, problem = core.pcall(function()
    while not failed do
      if running >= limit then
        core.park()
      else
        local item = pull()
        if item == nil then
          break
        end
        index = index + 1
        running = running + 1
        core.spawn(work, item, index)
      end
    end
  end)
  settle()
  if failed then
    error(failure, 0)
  elseif not ok then
    error(problem, 0)
  end
  return index
end

---Calls `fn(item, index)` for every item of an array or iterator, several at a time.
---An error in one stops the rest from starting and is raised here.
function task.each(items, fn, options)
  local limit, label, total = check_call("task.each", items, fn, options)
  local job <close> = start_job(items, label, total)
  run(items, fn, limit, job)
end

---The same, collecting the first result of each call in the order of the items.
function task.map(items, fn, options)
  local limit, label, total = check_call("task.map", items, fn, options)
  local job <close> = start_job(items, label, total)
  local results = {}
  local count = run(items, function(item, index)
    local result, err = fn(item, index)
    results[index] = result
    return result, err
  end, limit, job)
  return results, count
end

return lx.seal("task", task)
