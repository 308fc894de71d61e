-- SPDX-License-Identifier: MIT
-- Tasks that are cancelled: what ends, what is seen through, and what nobody can swallow.
local lu = require "luaunit"
local task = require "task"
local turnstile = require "turnstile"

local widgets = turnstile.widgets
local NO_WIDGET = "0x4AAAAAAAAAAAAAAAAAAAAA"
local LONG = 1000 -- seconds that nobody waits

local TestCancel = {}

local function visit()
  local _, err = widgets.get(NO_WIDGET)
  lu.assertEquals(err.status, 404)
end

local function make(name)
  return widgets.create { name = name, domains = { "a.example" }, mode = "managed" }
end

local function assert_cancelled(h)
  local ok, err = pcall(h.await, h)
  lu.assertFalse(ok)
  lu.assertEquals(err.kind, "cancelled")
  lu.assertEquals(h:status(), "cancelled")
  return err
end

-- Starts fn, lets it come to its wait, and what it spawns with more turns, and cancels it.
local function cancelled(fn, turns)
  local h = task.spawn(fn)
  for _ = 1, turns or 1 do
    task.sleep(0)
  end
  h:cancel()
  return h
end

function TestCancel.testEveryWait()
  local secret = assert(make "waits").secret
  local slow = task.spawn(task.sleep, LONG)
  local waits = {
    sleep = function() task.sleep(LONG) end,
    await = function() slow:await() end,
    each = function() task.each({ 1, 2, 3 }, function() task.sleep(LONG) end) end,
    with_timeout = function() task.with_timeout(LONG, task.sleep, LONG) end,
    get = function() widgets.get(NO_WIDGET) end,
    all = function() widgets.all() end,
    list = function() for _ in widgets.list() do end end,
    update = function() widgets.update(NO_WIDGET, { name = "x" }) end,
    siteverify = function() turnstile.siteverify { secret = secret, response = "token" } end,
  }
  for name, wait in pairs(waits) do
    local after, closed = false, nil
    local h = cancelled(function()
      local guard <close> = setmetatable({}, { __close = function(_, err) closed = err end })
      wait()
      after = guard
    end)
    lu.assertEquals(h:status(), "running")
    local err = assert_cancelled(h)
    lu.assertFalse(after, name)
    lu.assertIs(closed, err)
    lu.assertStrMatches(tostring(err.place), ".*cancel_test%.lua:%d+")
  end
  slow:cancel()
end

function TestCancel.testNothingSwallowsIt()
  local steps = {}
  local function wait() task.sleep(LONG) end
  local ways = {
    function() pcall(wait) end,
    function() pcall(pcall, wait) end,
    function() xpcall(wait, function() steps[#steps + 1] = "handler" end) end,
    function() coroutine.wrap(wait)() end,
    function() pcall(coroutine.wrap(function() pcall(wait) end)) end,
    function() coroutine.resume(coroutine.create(wait)) end,
    function() while true do pcall(wait) end end,
    function()
      local guard <close> = setmetatable({}, { __close = function() pcall(wait) end })
      wait(guard)
    end,
  }
  for _, way in ipairs(ways) do
    assert_cancelled(cancelled(function()
      way()
      steps[#steps + 1] = "went on"
    end))
  end
  lu.assertEquals(steps, {})
end

-- A coroutine that is resumed closes what it owns as well.
function TestCancel.testCoroutineOwns()
  local closed = false
  assert_cancelled(cancelled(function()
    coroutine.resume(coroutine.create(function()
      local guard <close> = setmetatable({}, { __close = function() closed = true end })
      task.sleep(LONG, guard)
    end))
  end))
  lu.assertTrue(closed)
end

function TestCancel.testItself()
  local h
  local steps = {}
  h = task.spawn(function()
    steps[1] = "before"
    pcall(task.cancel, h)
    steps[2] = "behind"
  end)
  assert_cancelled(h)
  lu.assertEquals(steps, { "before" })
end

function TestCancel.testBeforeItBegins()
  local has_begun = false
  local h = task.spawn(function() has_begun = true end)
  h:cancel()
  h:cancel()
  assert_cancelled(h)
  assert_cancelled(h)
  lu.assertFalse(has_begun)
end

function TestCancel.testOneThatHasEnded()
  local done = task.spawn(function() return "result" end)
  lu.assertEquals(done:await(), "result")
  done:cancel()
  lu.assertEquals(done:await(), "result")
  lu.assertEquals(done:status(), "done")
  local failed = task.spawn(error, "problem")
  lu.assertEquals({ pcall(failed.await, failed) }, { false, "problem" })
  task.cancel(failed)
  lu.assertEquals({ pcall(failed.await, failed) }, { false, "problem" })
  lu.assertEquals(failed:status(), "failed")
end

-- Plain Lua code is never broken off: it ends at its next wait, or not at all.
function TestCancel.testWhileItComputes()
  local parent, steps = nil, {}
  local function child() parent:cancel() steps[#steps + 1] = "child" end
  parent = task.spawn(function()
    coroutine.wrap(child)() -- of the same task: raises at once
    steps[#steps + 1] = "parent"
  end)
  assert_cancelled(parent)
  lu.assertEquals(steps, {})
  parent = task.spawn(function()
    task.spawn(child):await()
    steps[#steps + 1] = "parent"
  end)
  assert_cancelled(parent)
  lu.assertEquals(steps, { "child" })
end

function TestCancel.testDescendantsGoAlong()
  local ended, handles = {}, {}
  local function chain(depth)
    local guard <close> = setmetatable({}, { __close = function() ended[#ended + 1] = depth end })
    if depth < 4 then
      handles[depth] = task.spawn(chain, depth + 1, guard)
    end
    task.sleep(LONG)
  end
  local h = task.spawn(chain, 1)
  for _ = 1, 5 do
    task.sleep(0)
  end
  h:cancel()
  assert_cancelled(h)
  for _, handle in ipairs(handles) do
    assert_cancelled(handle)
  end
  table.sort(ended)
  lu.assertEquals(ended, { 1, 2, 3, 4 })
end

function TestCancel.testChildrenOfOneThatEnds()
  local kept, lost, orphan
  task.spawn(function() kept = task.spawn(function() visit() return "kept" end) end):await()
  lu.assertEquals(kept:await(), "kept")
  local failing = task.spawn(function()
    lost = task.spawn(task.sleep, LONG)
    -- What a task leaves behind is its spawner's.
    task.spawn(function() orphan = task.spawn(task.sleep, LONG) end):await()
    error("fails", 0)
  end)
  lu.assertEquals({ pcall(failing.await, failing) }, { false, "fails" })
  assert_cancelled(lost)
  assert_cancelled(orphan)
end

-- A long chain of tasks, each waiting for the next, is no deep recursion.
function TestCancel.testLongChain()
  local depth, most = 0, 5000
  local function link()
    depth = depth + 1
    if depth < most then
      task.spawn(link):await()
    else
      task.sleep(LONG)
    end
  end
  local h = task.spawn(link)
  while depth < most do
    task.sleep(0)
  end
  h:cancel()
  assert_cancelled(h)
end

function TestCancel.testManyWhoAwaitOne()
  local slow = task.spawn(task.sleep, LONG)
  local waiting = {}
  for i = 1, 300 do
    waiting[i] = task.spawn(function() slow:await() end)
  end
  task.sleep(0)
  for i = 1, 300, 2 do
    waiting[i]:cancel()
    assert_cancelled(waiting[i])
  end
  slow:cancel()
  for i = 2, 300, 2 do -- these were not cancelled, but get the error of the one that was
    local ok, err = pcall(waiting[i].await, waiting[i])
    lu.assertFalse(ok)
    lu.assertEquals({ err.kind, waiting[i]:status() }, { "cancelled", "failed" })
  end
end

-- A write that has left is seen through, and what came of it arrives.
function TestCancel.testWriteInFlight()
  local made
  local h = cancelled(function()
    made = make "in flight"
    visit()
  end)
  assert_cancelled(h)
  lu.assertEquals(assert(widgets.get(made.sitekey)).name, "in flight")
  lu.assertEquals(assert(cancelled(function() return make "the last" end):await()).name, "the last")
end

-- Updates of one widget go one at a time. One that is cancelled while it waits leaves its place, and
-- so does one that is cancelled when the turn comes to it.
function TestCancel.testUpdatesThatWaitForTheirTurn()
  local w = assert(make "in line")
  local handles = {}
  for i = 1, 8 do
    handles[i] = task.spawn(function()
      return assert(widgets.update(w, { domains = { add = { ("d%d.example"):format(i) } } }))
    end)
  end
  task.sleep(0)
  handles[3]:cancel()
  handles[1]:await()
  for i = 5, 6 do
    handles[i]:cancel()
  end
  local wanted = { ["a.example"] = true }
  for i, h in ipairs(handles) do
    if pcall(h.await, h) then
      wanted[("d%d.example"):format(i)] = true
    end
  end
  assert_cancelled(handles[3])
  local got = {}
  for _, name in ipairs(assert(widgets.get(w)).domains) do
    got[name] = true
  end
  lu.assertEquals(got, wanted)
  lu.assertTrue(got["d8.example"])
  assert(widgets.update(w, { name = "the line is empty" }))
end

-- One that waits in the queue is taken back.
function TestCancel.testWritesInTheQueue()
  local handles = {}
  for i = 1, 40 do
    handles[i] = task.spawn(function() return make("queued " .. i) end)
  end
  task.sleep(0)
  local made = 0
  for _, h in ipairs(handles) do
    h:cancel()
  end
  for _, h in ipairs(handles) do
    local ok, result = pcall(h.await, h)
    made = made + (ok and 1 or 0)
    lu.assertTrue(ok or result.kind == "cancelled")
  end
  lu.assertTrue(made >= 1 and made < 40, made)
  lu.assertEquals(#widgets.all { filter = "name:queued" }, made)
end

function TestCancel.testTheFirstFailureCancelsTheOthers()
  local problem, ended = {}, 0
  local ok, err = pcall(task.each, { 1, 2, 3, 4, 5, 6 }, function(n)
    local guard <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
    if n == 2 then
      task.sleep(0)
      error(problem)
    end
    task.sleep(LONG, guard)
  end, { concurrency = 4 })
  lu.assertFalse(ok)
  lu.assertIs(err, problem)
  lu.assertEquals(ended, 4) -- all are gone before the error arrives
end

-- A write of a sibling is in the results of nobody, but it is whole.
function TestCancel.testSiblingThatWrites()
  local made
  local ok = pcall(task.each, { "write", "fail" }, function(what)
    if what == "fail" then
      task.sleep(0)
      error "fails"
    end
    made = make "sibling"
    visit()
  end)
  lu.assertFalse(ok)
  lu.assertEquals(assert(widgets.get(made.sitekey)).name, "sibling")
end

function TestCancel.testEachIsCancelled()
  local ended = 0
  assert_cancelled(cancelled(function()
    pcall(task.each, { 1, 2, 3 }, function()
      local guard <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
      task.each({ 1, 2 }, function() task.sleep(LONG, guard) end)
    end, { on_error = "collect" })
    ended = "went on"
  end, 5))
  lu.assertEquals(ended, 3)
end

function TestCancel.testNothingNewInAClose()
  local problem
  assert_cancelled(cancelled(function()
    local guard <close> = setmetatable({}, {
      __close = function()
        local inner <close> = setmetatable({}, { __close = function(_, err) problem = err end })
        return make "from a close", inner
      end,
    })
    task.sleep(LONG, guard)
  end))
  lu.assertEquals(problem.kind, "cancelled")
  lu.assertEquals(#widgets.all { filter = "name:from a close" }, 0)
end

function TestCancel.testErrorWhileBeingCancelled()
  local h = cancelled(function()
    local guard <close> = setmetatable({}, { __close = function() error("tidying up", 0) end })
    task.sleep(LONG, guard)
  end)
  lu.assertEquals({ pcall(h.await, h) }, { false, "tidying up" })
  lu.assertEquals(h:status(), "failed")
end

function TestCancel.testWithTimeout()
  lu.assertEquals(table.pack(task.with_timeout(LONG, function(...) visit() return ... end, 1, nil)),
    { 1, nil, n = 2 })
  local problem = {}
  local ok, err = pcall(task.with_timeout, LONG, function() visit() error(problem) end)
  lu.assertFalse(ok)
  lu.assertIs(err, problem)
  local none
  none, err = task.with_timeout(0.01, task.sleep, LONG)
  lu.assertNil(none)
  lu.assertEquals({ err.kind, err.op }, { "timeout", "task.with_timeout" })
  lu.assertEquals(tostring(err), "task.with_timeout: the time limit of 0.01 s has passed")
  lu.assertStrMatches(err.place, ".*cancel_test%.lua:%d+")
  lu.assertNil((task.with_timeout(0, function() task.sleep(LONG) end)))
end

function TestCancel.testWithTimeoutNested()
  local steps = {}
  local function nested(outer, inner)
    return task.with_timeout(outer, function()
      local none, err = task.with_timeout(inner, task.sleep, LONG)
      steps[#steps + 1] = err.kind
      return none, "inner"
    end)
  end
  lu.assertEquals({ nested(LONG, 0.01) }, { nil, "inner" })
  lu.assertEquals(steps, { "timeout" })
  lu.assertEquals(select(2, nested(0.01, LONG)).kind, "timeout")
  lu.assertEquals(steps, { "timeout" })
  -- Together: the outer one has passed, so whatever the inner one said does not count.
  for _ = 1, 20 do
    local none, what = nested(0.001, 0.001)
    lu.assertNil(none)
    lu.assertTrue(what == "inner" or what.kind == "timeout")
  end
end

function TestCancel.testWithTimeoutAroundEach()
  local ended = 0
  local none, err = task.with_timeout(0.01, task.each, { 1, 2, 3 }, function()
    local guard <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
    task.sleep(LONG, guard)
  end)
  lu.assertNil(none)
  lu.assertEquals(err.kind, "timeout")
  lu.assertEquals(ended, 3)
end

-- What took longer but was done is told as done.
function TestCancel.testWriteThatOutlastsItsLimit()
  local made, err = task.with_timeout(0, make, "outlasts")
  if made then
    lu.assertEquals(made.name, "outlasts")
  else
    lu.assertEquals(err:forgive("it may be taken back").kind, "timeout")
  end
  lu.assertEquals(#widgets.all { filter = "name:outlasts" }, made and 1 or 0)
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestCancel", TestCancel } })
