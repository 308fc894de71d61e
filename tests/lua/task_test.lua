-- SPDX-License-Identifier: MIT
-- Tasks: order, errors, limits, and what happens to those that nobody waits for.
local lu = require "luaunit"
local task = require "task"
local turnstile = require "turnstile"

local widgets = turnstile.widgets
local NO_WIDGET = "0x4AAAAAAAAAAAAAAAAAAAAA"

local TestTask = {}

local function raises(part, fn, ...)
  local ok, problem = pcall(fn, ...)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(problem), part)
  return problem
end

local function misuse(part, fn, ...)
  lu.assertStrMatches(raises(part, fn, ...), ".*task_test%.lua:%d+: .*")
end

-- A request that is answered, whatever with; the way to wait for the network.
local function visit()
  local _, err = widgets.get(NO_WIDGET)
  lu.assertEquals(err.status, 404)
end

function TestTask.testAwaitGivesAllResults()
  local h = task.spawn(function(...) return ... end, 1, nil, 3, nil)
  local results = table.pack(h:await())
  lu.assertEquals(results.n, 4)
  lu.assertEquals({ results[1], results[3] }, { 1, 3 })
  lu.assertEquals(select("#", h:await()), 4) -- again
end

function TestTask.testAwaitRaisesTheErrorItself()
  local problem = { text = "of a table" }
  local h = task.spawn(function() visit() error(problem) end)
  local ok, err = pcall(h.await, h)
  lu.assertFalse(ok)
  lu.assertIs(err, problem)
  lu.assertIs(select(2, pcall(h.await, h)), problem)
  raises("task_test.lua", function() task.spawn(function() error "here" end):await() end)
  lu.assertNil(select(2, pcall(function() task.spawn(error):await() end)))
end

function TestTask.testSpawnRunsLater()
  local order = {}
  local h = task.spawn(function() order[#order + 1] = "task" end)
  order[#order + 1] = "spawner"
  h:await()
  lu.assertEquals(order, { "spawner", "task" })
end

function TestTask.testManyAwaitOne()
  local slow = task.spawn(function() visit() return "once" end)
  local got = task.map({ 1, 2, 3 }, function(i) return slow:await() .. i end)
  lu.assertEquals(got, { "once1", "once2", "once3" })
end

function TestTask.testHandleToBeClosed()
  -- A handle has nothing to close: its task goes on.
  raises("non-closable", function()
    local h <close> = task.spawn(visit)
    lu.assertNotNil(h)
  end)
end

function TestTask.testCollectedHandle()
  local done = false
  task.spawn(function() visit() done = true end)
  collectgarbage()
  collectgarbage()
  visit()
  visit()
  lu.assertTrue(done)
end

function TestTask.testEachOrderAndIndex()
  local seen = {}
  task.each({ "a", "b", "c" }, function(item, i) seen[i] = item end)
  lu.assertEquals(seen, { "a", "b", "c" })
  task.each({}, error)
  task.each({ "a", nil, "c" }, function(item) lu.assertEquals(item, "a") end)
end

function TestTask.testMapKeepsInputOrder()
  local results = task.map({ 3, 1, 2 }, function(n)
    for _ = 1, n do
      visit()
    end
    return n * 10, "second results are dropped"
  end)
  lu.assertEquals(results, { 30, 10, 20 })
  local sparse, count = task.map({ 1, 2, 3 }, function(n) return n ~= 2 and n or nil end)
  lu.assertEquals({ sparse[1], sparse[2], sparse[3], count }, { 1, nil, 3, [4] = 3 })
end

-- The greatest number of calls of fn at the same time.
local function peak_of(run, count, options)
  local running, peak = 0, 0
  local items = {}
  for i = 1, count do
    items[i] = i
  end
  run(items, function()
    running = running + 1
    peak = math.max(peak, running)
    visit()
    running = running - 1
  end, options)
  lu.assertEquals(running, 0)
  return peak
end

function TestTask.testConcurrency()
  lu.assertEquals(peak_of(task.each, 12, { concurrency = 1 }), 1)
  lu.assertEquals(peak_of(task.each, 12, { concurrency = 5 }), 5)
  lu.assertEquals(peak_of(task.map, 12, { concurrency = 3 }), 3)
  lu.assertEquals(peak_of(task.each, 40), 16)
  lu.assertEquals(peak_of(task.each, 4, { concurrency = 1000 }), 4)
end

function TestTask.testIterators()
  local i = 0
  local total = 0
  task.each(function()
    i = i + 1
    return i <= 10 and i or nil
  end, function(n) total = total + n end, { concurrency = 2 })
  lu.assertEquals(total, 55)
  -- An iterator may call the API, and so may a coroutine.
  local keys = task.map(coroutine.wrap(function()
    for n = 1, 3 do
      visit()
      coroutine.yield(n)
    end
  end), function(n) return n end)
  lu.assertEquals(keys, { 1, 2, 3 })
end

-- It is pulled only as fast as there is room, so that a huge input costs no memory.
function TestTask.testIteratorIsPulledLate()
  local pulled, done, ahead = 0, 0, 0
  task.each(function()
    pulled = pulled + 1
    ahead = math.max(ahead, pulled - done)
    return pulled <= 30 and pulled or nil
  end, function()
    visit()
    done = done + 1
  end, { concurrency = 4 })
  lu.assertEquals(done, 30)
  lu.assertTrue(ahead <= 5, ahead)
end

function TestTask.testListAsIterator()
  for i = 1, 7 do
    assert(widgets.create { name = "iterated " .. i, domains = { "a.example" }, mode = "managed" })
  end
  local names = task.map(widgets.list { filter = "name:iterated", per_page = 5 },
    function(w) return w.name end)
  lu.assertEquals(#names, 7)
  lu.assertEquals({ names[1], names[7] }, { "iterated 1", "iterated 7" })
end

function TestTask.testEachStopsAtTheFirstError()
  local started, finished = 0, 0
  local problem = raises("third", function()
    task.each({ 1, 2, 3, 4, 5, 6, 7, 8 }, function(n)
      started = started + 1
      visit()
      if n == 3 then
        error "third"
      end
      task.sleep(3600) -- cancelled
      finished = finished + 1
    end, { concurrency = 3 })
  end)
  lu.assertStrMatches(problem, ".*task_test%.lua:%d+: third")
  -- Those under way were cancelled; the rest was never handed out.
  lu.assertEquals(finished, 0)
  lu.assertTrue(started < 8, started)
end

function TestTask.testErrorOfTheIterator()
  local finished = 0
  local i = 0
  raises("no more", function()
    task.each(function()
      i = i + 1
      if i == 3 then
        error "no more"
      end
      return i
    end, function() visit() finished = finished + 1 end)
  end)
  lu.assertEquals(finished, 0)
end

-- What was handed out comes to its end when errors are collected, and the iterator's is raised.
function TestTask.testErrorOfTheIteratorWhileCollecting()
  local finished, i = 0, 0
  raises("no more", function()
    task.each(function()
      i = i + 1
      if i == 3 then
        error "no more"
      end
      return i
    end, function() visit() finished = finished + 1 end, { on_error = "collect" })
  end)
  lu.assertEquals(finished, 2)
end

function TestTask.testCollect()
  local problem = { text = "of a table" }
  local results, count, errors = task.map({ "a", "b", "c", "d" }, function(item, index)
    for _ = index, 4 do
      visit() -- the last ends first
    end
    if item == "b" then
      error(problem)
    elseif item == "d" then
      error "of a string"
    end
    return item .. index
  end, { on_error = "collect", concurrency = 3 })
  lu.assertEquals({ results[1], results[2], results[3], results[4] }, { "a1", nil, "c3" })
  lu.assertEquals(count, 4)
  lu.assertEquals(#errors, 2)
  lu.assertEquals({ errors[1].index, errors[1].item }, { 2, "b" })
  lu.assertIs(errors[1].error, problem)
  lu.assertEquals({ errors[2].index, errors[2].item }, { 4, "d" })
  lu.assertStrMatches(errors[2].error, ".*task_test%.lua:%d+: of a string")
  lu.assertStrContains(errors[2].traceback, "task_test.lua")
  lu.assertEquals({ task.each({ 1, 2 }, visit, { on_error = "collect" }) }, { 2, {} })
  lu.assertEquals(table.pack(task.each({ 1, 2 }, visit)).n, 2)
  lu.assertEquals(task.each({ 1, 2 }, visit), 2)
end

-- What an item has spawned ends with it when it fails, and stays when it returns.
function TestTask.testWhatAnItemSpawns()
  local ended = {}
  task.each({ "keep", "fail" }, function(item)
    task.spawn(function()
      visit()
      visit()
      ended[item] = true
    end)
    visit()
    if item == "fail" then
      error "fails"
    end
  end, { on_error = "collect", concurrency = 1 })
  for _ = 1, 5 do
    visit()
  end
  lu.assertEquals(ended, { keep = true })
end

-- A list that is not read to its end is given up.
function TestTask.testListIsClosed()
  local iterator = widgets.list { per_page = 5 }
  raises("enough", task.each, iterator, function() error "enough" end)
  raises("this list is closed", iterator)
end

function TestTask.testLazyTable()
  local lazy = setmetatable({}, {
    __index = function(_, i)
      visit()
      return i <= 20 and i or nil
    end,
  })
  local results, count = task.map(lazy, function(n) visit() return n end)
  lu.assertEquals({ #results, count }, { 20, 20 })
end

function TestTask.testNested()
  local sums = task.map({ 10, 20 }, function(base)
    local parts = task.map({ 1, 2, 3 }, function(n)
      visit()
      return task.spawn(function() return base + n end):await()
    end)
    return parts[1] + parts[2] + parts[3]
  end)
  lu.assertEquals(sums, { 36, 66 })
end

-- A worker that queues up at an iterator may be woken for something else, here for an inner each that
-- has failed before. Whoever queued up behind it still gets its turn.
function TestTask.testWorkersThatAreWokenForNothing()
  local count, done = 0, 0
  local function items()
    count = count + 1
    local mine = count
    visit()
    return mine <= 6 and mine or nil
  end
  task.each(items, function()
    raises("inner", task.each, { 1, 2, 3 }, function(i)
      if i == 3 then
        error "inner"
      end
      task.sleep(60)
    end)
    done = done + 1
  end, { concurrency = 4 })
  lu.assertEquals(done, 6)
end

function TestTask.testEachInsideCoroutine()
  local steps = {}
  for step in coroutine.wrap(function()
    task.each({ 1, 2 }, visit)
    coroutine.yield "each"
    task.spawn(visit):await()
    coroutine.yield "await"
    task.sleep(0)
    coroutine.yield "sleep"
  end) do
    steps[#steps + 1] = step
  end
  lu.assertEquals(steps, { "each", "await", "sleep" })
end

function TestTask.testSleep()
  local order = {}
  local tasks = {}
  for i, seconds in ipairs { 0.03, 0.01, 0.02, 0 } do
    tasks[i] = task.spawn(function()
      task.sleep(seconds)
      order[#order + 1] = i
    end)
  end
  for _, h in ipairs(tasks) do
    h:await()
  end
  lu.assertEquals(order, { 4, 2, 3, 1 })
end

function TestTask.testMisuse()
  misuse("task.spawn: a function expected, got no value", task.spawn)
  misuse("an array or an iterator expected, got nil", task.each, nil, print)
  misuse("task.map: a function expected, got number", task.map, {}, 1)
  misuse("`concurrency` must be a whole number", task.each, {}, print, { concurrency = 0 })
  misuse("`concurrency` must be a whole number", task.each, {}, print, { concurrency = 1.5 })
  misuse("did you mean `concurrency`?", task.each, {}, print, { concurency = 2 })
  misuse('`on_error` must be "stop" or "collect", is "ignore"', task.map, {}, print,
    { on_error = "ignore" })
  misuse("`on_error` must be a string, is a boolean", task.each, {}, print, { on_error = true })
  misuse("`progress` must be a string, is a number", task.each, {}, print, { progress = 1 })
  misuse("task.each: an iterator that stands alone expected", task.each, pairs {}, print)
  misuse("task.with_timeout: seconds expected", task.with_timeout, -1, print)
  misuse("task.with_timeout: seconds expected", task.with_timeout, print)
  misuse("task.with_timeout: a function expected, got nil", task.with_timeout, 1)
  misuse("a task expected, got no value", task.cancel)
  misuse("task.sleep: seconds expected", task.sleep, -1)
  misuse("task.sleep: seconds expected", task.sleep, "1")
  misuse("task.sleep: seconds expected", task.sleep, 0 / 0)
  misuse("task.sleep: seconds expected", task.sleep, math.huge)
  misuse("task has no `spwan` (did you mean `spawn`?)", function() return task.spwan end)
  misuse("task cannot be changed", function() task.each = print end)
  misuse("a task expected, got table", task.spawn(visit).await, {})
end

function TestTask.testAwaitItself()
  local h
  h = task.spawn(function() return h:await() end)
  raises("a task cannot await itself", h.await, h)
end

function TestTask.testManyTasks()
  local count = 0
  local handles = {}
  for i = 1, 5000 do
    handles[i] = task.spawn(function() count = count + 1 end)
  end
  handles[5000]:await()
  lu.assertEquals(count, 5000)
end

-- A run of many hours awaits many tasks that fail.
function TestTask.testAwaitedFailuresAreLetGo()
  local kept = setmetatable({}, { __mode = "k" })
  for i = 1, 20 do
    local handle = task.spawn(error, "failure " .. i)
    lu.assertFalse((pcall(handle.await, handle)))
    lu.assertFalse((pcall(handle.await, handle))) -- it may be asked again
    kept[handle] = true
  end
  collectgarbage()
  collectgarbage()
  lu.assertNil(next(kept))
end

-- Tidying up after an error may call the API; the error stays the one that was raised.
function TestTask.testCloseHandlersOfAFailedTaskMayWait()
  local closed = {}
  local function guard(name)
    return setmetatable({}, {
      __close = function(_, problem)
        task.sleep(0)
        closed[#closed + 1] = name .. ": " .. problem
      end,
    })
  end
  local handle = task.spawn(function()
    local outer <close> = guard "outer"
    local inner <close> = guard "inner"
    error("the cause", 0)
    return outer, inner
  end)
  local ok, problem = pcall(handle.await, handle)
  lu.assertFalse(ok)
  lu.assertEquals(problem, "the cause")
  lu.assertEquals(closed, { "inner: the cause", "outer: the cause" })
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestTask", TestTask } })
