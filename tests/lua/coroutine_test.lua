-- SPDX-License-Identifier: MIT
-- Coroutines that a script makes itself: calls that wait pass through them unseen, and everything
-- else is as Lua has it. Where Lua cannot suspend, the error says so in words.
local lu = require "luaunit"
local task = require "task"
local turnstile = require "turnstile"

local widgets = turnstile.widgets
local NO_WIDGET = "0x4AAAAAAAAAAAAAAAAAAAAA"
local CANNOT = "cannot wait for the network here"

local TestCoroutine = {}

-- Waits for the network; gives its arguments back.
local function visit(...)
  local _, err = widgets.get(NO_WIDGET)
  lu.assertEquals(err.status, 404)
  return ...
end

local function raises(part, fn, ...)
  local ok, problem = pcall(fn, ...)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(problem), part)
  return problem
end

function TestCoroutine.testValuesBothWays()
  local log = {}
  local co = coroutine.create(function(...)
    log[#log + 1] = table.concat({ ... }, ",")
    visit()
    local a, b = coroutine.yield("y1", visit(1), nil)
    log[#log + 1] = ("%s %s"):format(a, b)
    visit()
    visit()
    log[#log + 1] = tostring(select("#", coroutine.yield()))
    return visit("end", nil)
  end)
  lu.assertEquals(table.pack(coroutine.resume(co, "a", "b", "c")),
    { true, "y1", 1, n = 4 })
  lu.assertEquals(table.pack(coroutine.resume(co, "x", "y")), { true, n = 1 })
  lu.assertEquals(coroutine.status(co), "suspended")
  lu.assertEquals(table.pack(coroutine.resume(co, nil, nil)), { true, "end", n = 3 })
  lu.assertEquals(coroutine.status(co), "dead")
  lu.assertEquals({ coroutine.resume(co) }, { false, "cannot resume dead coroutine" })
  lu.assertEquals(log, { "a,b,c", "x y", "2" })
end

function TestCoroutine.testPcallInsideWrapInsidePcallInsideTask()
  local h = task.spawn(function()
    return pcall(function()
      local step = coroutine.wrap(function(first)
        local ok, value = pcall(function()
          visit()
          local got = coroutine.yield(first .. "!")
          visit()
          error { got = got }
        end)
        lu.assertFalse(ok)
        visit()
        coroutine.yield(value.got)
        visit()
        error "last"
      end)
      lu.assertEquals(step "one", "one!")
      lu.assertEquals(step "two", "two")
      return step()
    end)
  end)
  local ok, problem = h:await()
  lu.assertFalse(ok)
  lu.assertStrMatches(problem, ".*coroutine_test%.lua:%d+: .*last")
end

function TestCoroutine.testXpcall()
  local co = coroutine.wrap(function()
    local results = table.pack(xpcall(function(...)
      visit()
      coroutine.yield "inside"
      return visit(...)
    end, debug.traceback, 1, nil, 3))
    lu.assertEquals(results, { true, 1, nil, 3, n = 4 })
    lu.assertEquals({ xpcall(function() visit() error "x" end, function() return "handled" end) },
      { false, "handled" })
    return "done"
  end)
  lu.assertEquals(co(), "inside")
  lu.assertEquals(co(), "done")
end

function TestCoroutine.testDeepNesting()
  local function nest(depth)
    if depth == 0 then
      visit()
      coroutine.yield "bottom"
      return visit "out"
    end
    local inner = coroutine.wrap(nest)
    coroutine.yield(inner(depth - 1))
    visit()
    return inner()
  end
  local co = coroutine.wrap(nest)
  lu.assertEquals(co(30), "bottom")
  lu.assertEquals(co(), "out")
end

function TestCoroutine.testGenericFor()
  local got = {}
  for key, value in coroutine.wrap(function()
    for i = 1, 3 do
      visit()
      coroutine.yield(i, i * i)
    end
  end) do
    got[key] = value
    visit()
  end
  lu.assertEquals(got, { 1, 4, 9 })
  got = {}
  for i in function(_, i) visit() return i < 3 and i + 1 or nil end, nil, 0 do
    got[#got + 1] = i
  end
  lu.assertEquals(got, { 1, 2, 3 })
end

function TestCoroutine.testMetamethods()
  local calls = {}
  local function note(name, result)
    return function(...)
      visit()
      calls[#calls + 1] = name
      if type(result) == "function" then
        return result(...)
      end
      return result
    end
  end
  local mt = {
    __index = note("index", 1), __newindex = note "newindex", __add = note("add", 2),
    __eq = note("eq", true), __lt = note("lt", true), __le = note("le", false),
    __concat = note("concat", "c"), __close = note "close", __call = note("call", 3),
    __unm = note("unm", 4), __len = note("len", 5), __bnot = note("bnot", 6),
  }
  local function new() return setmetatable({}, mt) end
  local function use()
    local a, b = new(), new()
    local results = { a.field, a + b, a == b, a < b, a <= b, a .. b, "x" .. a, a(), -a, #a, ~a }
    a.field = 1
    do
      local closed <close> = new()
      lu.assertNotNil(closed)
    end
    return results
  end
  local expected = { 1, 2, true, true, false, "c", "c", 3, 4, 5, 6 }
  local names = { "index", "add", "eq", "lt", "le", "concat", "concat", "call", "unm", "len",
    "bnot", "newindex", "close" }
  lu.assertEquals(use(), expected)
  lu.assertEquals(calls, names)
  calls = {}
  lu.assertEquals(coroutine.wrap(use)(), expected)
  lu.assertEquals(calls, names)
end

function TestCoroutine.testCloseOnTheWayOfAnError()
  local order = {}
  raises("body", function()
    local x <close> = setmetatable({}, { __close = function(_, problem)
      visit()
      order[#order + 1] = problem
    end })
    lu.assertNotNil(x)
    visit()
    error("body", 0)
  end)
  lu.assertEquals(order, { "body" })
end

-- A plain error, and nothing was sent: the script goes on.
local function cannot(fn)
  local problem = raises(CANNOT, fn)
  lu.assertStrMatches(problem, ".*coroutine_test%.lua:%d+: .*")
  lu.assertStrContains(problem, "make the call before it or after it")
  visit()
end

function TestCoroutine.testWhereLuaCannotSuspend()
  cannot(function() table.sort({ 3, 1, 2 }, function(a, b) visit() return a < b end) end)
  cannot(function() return (("abc"):gsub(".", visit)) end)
  cannot(function() for _ in widgets.list() do ("a"):gsub("a", function() widgets.all() end) end end)
  cannot(function() table.sort({ 2, 1 }, function() task.sleep(0) end) end)
  cannot(function()
    local h = task.spawn(visit)
    table.sort({ 2, 1 }, function() return h:await() end)
  end)
  -- Also inside a coroutine, and around one.
  cannot(coroutine.wrap(function() table.sort({ 2, 1 }, function(a, b) visit() return a < b end) end))
  cannot(function()
    table.sort({ 2, 1 }, coroutine.wrap(function() visit() end))
  end)
end

function TestCoroutine.testListRowsInASort()
  assert(widgets.create { name = "sorted", domains = { "a.example" }, mode = "managed" })
  -- The rows of a page that is there need no wait.
  local iterator = widgets.list()
  lu.assertNotNil(iterator())
  cannot(function() table.sort({ 2, 1 }, function() iterator() end) end)
end

function TestCoroutine.testRequireAtLoadTime()
  package.preload.waits_while_loading = function()
    visit()
  end
  cannot(function() require "waits_while_loading" end)
end

-- An error in a finalizer is a warning in Lua; what matters is that nothing breaks.
function TestCoroutine.testFinalizer()
  local problem
  do
    local _ = setmetatable({}, { __gc = function()
      problem = select(2, pcall(visit))
    end })
  end
  collectgarbage()
  collectgarbage()
  lu.assertStrContains(tostring(problem), CANNOT)
  visit()
end

function TestCoroutine.testStatusOfAWaitingCoroutine()
  local seen
  local co
  co = coroutine.create(function()
    visit()
    coroutine.yield()
  end)
  local h = task.spawn(function()
    lu.assertTrue(coroutine.resume(co))
  end)
  task.spawn(function()
    -- The other task waits inside co: neither suspended nor dead, and not to be touched.
    seen = coroutine.status(co)
    lu.assertEquals({ coroutine.resume(co) }, { false, "cannot resume non-suspended coroutine" })
    raises("cannot close a normal coroutine", coroutine.close, co)
  end):await()
  h:await()
  lu.assertEquals(seen, "normal")
  lu.assertEquals(coroutine.status(co), "suspended")
  lu.assertTrue(coroutine.close(co))
  lu.assertEquals(coroutine.status(co), "dead")
end

function TestCoroutine.testClose()
  local closed = {}
  local function make(name, problem)
    return coroutine.create(function()
      local x <close> = setmetatable({}, { __close = function()
        closed[#closed + 1] = name
        if problem then
          error(problem, 0)
        end
      end })
      visit(x)
      coroutine.yield()
    end)
  end
  local co = make "a"
  lu.assertTrue(coroutine.resume(co))
  lu.assertTrue(coroutine.close(co))
  lu.assertEquals(closed, { "a" })
  co = make("b", "broken")
  lu.assertTrue(coroutine.resume(co))
  lu.assertEquals({ coroutine.close(co) }, { false, "broken" })
  lu.assertEquals(coroutine.status(co), "dead")
  -- A __close that wants to wait there gets the plain error.
  co = coroutine.create(function()
    local x <close> = setmetatable({}, { __close = function() visit() end })
    coroutine.yield(x)
  end)
  coroutine.resume(co)
  local ok, problem = coroutine.close(co)
  lu.assertFalse(ok)
  lu.assertStrContains(problem, CANNOT)
end

function TestCoroutine.testWrapErrors()
  local co = coroutine.wrap(function() visit() error { kind = "own" } end)
  local ok, problem = pcall(co)
  lu.assertFalse(ok)
  lu.assertEquals(problem.kind, "own")
  raises("cannot resume dead coroutine", co)
  co = coroutine.wrap(function() visit() error("text", 0) end)
  lu.assertStrMatches(select(2, pcall(function() co() end)), ".*coroutine_test%.lua:%d+: text")
  -- The coroutine of a wrap is closed by its error, and sees it.
  local seen
  raises("first", coroutine.wrap(function()
    local x <close> = setmetatable({}, { __close = function(_, err) seen = err end })
    visit(x)
    error("first", 0)
  end))
  lu.assertEquals(seen, "first")
end

function TestCoroutine.testTheRest()
  local co, is_main = coroutine.running()
  lu.assertEquals(type(co), "thread")
  lu.assertFalse(is_main) -- the script is a task
  lu.assertTrue(coroutine.isyieldable())
  lu.assertEquals(coroutine.status(co), "running")
  local inner = coroutine.create(function() return coroutine.status(co) end)
  lu.assertEquals({ coroutine.resume(inner) }, { true, "normal" })
  lu.assertEquals({ coroutine.resume(co) }, { false, "cannot resume non-suspended coroutine" })
  raises("cannot close a running coroutine", coroutine.close, co)
  raises("coroutine expected", coroutine.resume, 5)
  raises("function expected", coroutine.create, 5)
  raises("function expected", coroutine.wrap, {})
  lu.assertEquals({ coroutine.resume(coroutine.create(function() return 1, 2 end)) }, { true, 1, 2 })
  lu.assertEquals(select("#", coroutine.resume(coroutine.create(function() end))), 1)
end

-- A yield of the script itself with nobody to take it is an error of the task, with its line.
function TestCoroutine.testYieldOutsideACoroutine()
  local h = task.spawn(function() coroutine.yield(1) end)
  raises("attempt to yield from outside a coroutine", h.await, h)
end

-- Tasks and coroutines keep apart: one coroutine is resumed by two tasks in turn.
function TestCoroutine.testSharedGenerator()
  local generator = coroutine.wrap(function()
    for i = 1, 10 do
      coroutine.yield(i)
    end
    while true do
      coroutine.yield(nil)
    end
  end)
  local sums = task.map({ "a", "b" }, function()
    local sum = 0
    for i in generator do
      sum = sum + i
      visit()
    end
    return sum
  end)
  lu.assertEquals(sums[1] + sums[2], 55)
  lu.assertTrue(sums[1] > 0 and sums[2] > 0)
end

function TestCoroutine.testDroppedWhileWaiting()
  for _ = 1, 50 do
    local co = coroutine.wrap(function() visit() coroutine.yield() visit() end)
    co()
  end
  collectgarbage()
  collectgarbage()
  visit()
end

function TestCoroutine.testManyResults()
  local co = coroutine.wrap(function(...)
    visit()
    coroutine.yield(...)
  end)
  local many = {}
  for i = 1, 200 do
    many[i] = i
  end
  lu.assertEquals({ co(table.unpack(many)) }, many)
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestCoroutine", TestCoroutine } })
