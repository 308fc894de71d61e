-- SPDX-License-Identifier: MIT
-- Lists: every page, in order, once; closed early; read from several places at a time.
local lu = require "luaunit"
local task = require "task"
local turnstile = require "turnstile"

local widgets = turnstile.widgets
local COUNT = 23

local TestList = {}

local function raises(part, fn, ...)
  local ok, problem = pcall(fn, ...)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(problem), part)
end

local function name_of(i)
  return ("fleet %02d"):format(i)
end

local made = task.map({ table.unpack({}, 1, 0) }, print) -- an empty input is fine
for i = 1, COUNT do
  made[i] = assert(widgets.create {
    name = name_of((i * 7) % COUNT + 1), domains = { ("d%d.example"):format(i) }, mode = "managed",
  })
end

local function names(options)
  local found = {}
  for w in widgets.list(options) do
    found[#found + 1] = w.name
  end
  return found
end

local function expected(direction)
  local list = {}
  for i = 1, COUNT do
    list[i] = name_of(direction == "desc" and COUNT + 1 - i or i)
  end
  return list
end

function TestList.testPages()
  for _, per_page in ipairs { 5, 6, 22, 23, 24, 1000 } do
    lu.assertEquals(names { order = "name", direction = "asc", per_page = per_page }, expected())
  end
  lu.assertEquals(names { order = "name", direction = "desc", per_page = 5 }, expected "desc")
end

function TestList.testDefaultOrderIsStable()
  local keys = {}
  for w in widgets.list { per_page = 5 } do
    keys[#keys + 1] = w.sitekey
  end
  local created = {}
  for i, w in ipairs(made) do
    created[i] = w.sitekey
  end
  lu.assertItemsEquals(keys, created)
  local again = {}
  for i, w in ipairs(widgets.all { order = "created_on", direction = "asc" }) do
    again[i] = w.sitekey
  end
  lu.assertEquals(keys, again)
end

function TestList.testAll()
  local all = widgets.all { order = "name", per_page = 5 }
  lu.assertEquals(#all, COUNT)
  lu.assertEquals(all[1].name, name_of(1))
  lu.assertEquals(all[COUNT].name, name_of(COUNT))
  lu.assertNil(all[1].secret) -- lists carry none
  lu.assertEquals(#widgets.all(), COUNT)
  lu.assertEquals(#widgets.all {}, COUNT)
end

function TestList.testFilter()
  lu.assertEquals(names { filter = "name:fleet 0", order = "name", per_page = 5 },
    { name_of(1), name_of(2), name_of(3), name_of(4), name_of(5), name_of(6), name_of(7),
      name_of(8), name_of(9) })
  lu.assertEquals(names { filter = "sitekey:" .. made[3].sitekey }, { made[3].name })
  lu.assertEquals(names { filter = "name:no such widget" }, {})
  lu.assertEquals(names { filter = "name:%_&=?#" }, {})
  lu.assertEquals(widgets.all { filter = "name:no such widget" }, {})
end

function TestList.testEveryOrder()
  for _, order in ipairs { "id", "sitekey", "name", "created_on", "modified_on" } do
    for _, direction in ipairs { "asc", "desc" } do
      lu.assertEquals(#names { order = order, direction = direction, per_page = 5 }, COUNT)
    end
  end
end

function TestList.testBreakCloses()
  local iterator, state, control, closing = widgets.list { per_page = 5 }
  lu.assertNotNil(iterator(state, control))
  local closing_metatable_is_hidden = getmetatable(closing)
  lu.assertFalse(closing_metatable_is_hidden)
  for w in widgets.list { per_page = 5, order = "name" } do
    if w.name == name_of(7) then
      break
    end
  end
  do
    local list <close> = closing
    lu.assertNotNil(list)
  end
  -- To end now would make a short list look complete.
  raises("this list is closed", iterator, state, control)
end

-- Finalizers run anywhere, also while a page is decoded; here each time a little elsewhere.
function TestList.testClosedByAFinalizer()
  local met = 0
  collectgarbage("generational", 1, 100) -- so that they run often
  for round = 1, 60 do
    local iterator, _, _, closing = widgets.list { per_page = 5 }
    local runs, is_closed, is_over = 0, false, false
    local function arm()
      setmetatable({}, { __gc = function()
        runs = runs + 1
        if runs == 1 + round % 3 then
          is_closed = not is_over
          local list <close> = closing -- luacheck: ignore
        elseif not is_over then
          arm()
        end
      end })
    end
    collectgarbage "step"
    arm()
    local count, garbage = 0, ("x"):rep(round * 512) -- luacheck: ignore
    local ok, problem = pcall(function()
      for _ in iterator do
        count = count + 1
      end
      is_over = true
    end)
    is_over = true
    lu.assertEquals(ok, not is_closed)
    lu.assertEquals(count, ok and COUNT or count)
    lu.assertStrContains(ok and "this list is closed" or problem, "this list is closed")
    met = met + (is_closed and 1 or 0)
  end
  collectgarbage("generational", 20, 100)
  lu.assertTrue(met > 0)
end

-- The rows of its page are finalized before what was made before them.
function TestList.testAskedByAFinalizerAsGarbage()
  local problems = {}
  for i = 1, 3 do
    local iterator = widgets.list { per_page = 5 }
    setmetatable({}, { __gc = function()
      problems[i] = select(2, pcall(iterator))
    end })
    lu.assertNotNil(iterator())
  end
  collectgarbage()
  collectgarbage()
  for i = 1, 3 do
    lu.assertStrContains(tostring(problems[i]), "this list is closed")
  end
end

-- The stack ends here and there while a page or a row is taken. What is lost then is no end.
function TestList.testAnErrorInAPageIsNoEnd()
  local options = { filter = "name:fleet 0" }
  local all = #widgets.all(options)
  local function on_full_stack(fn, ...)
    fn()
    return (...) -- so that the arguments stay where they are
  end
  for _, count in ipairs { 0, all - 1 } do
    local met = 0
    for full = 999880, 999980, 10 do -- of Lua's million
      local next_widget = widgets.list(options)
      local taken, ok, widget = 0, true, nil
      local function take()
        ok, widget = pcall(next_widget)
        taken = taken + (ok and widget and 1 or 0)
      end
      for _ = 1, count do
        take()
      end
      collectgarbage "stop" -- a finalizer has no room there either
      pcall(coroutine.wrap(function()
        on_full_stack(take, table.unpack({}, 1, full))
      end))
      collectgarbage "restart"
      met = met + (ok and 0 or 1)
      repeat
        take()
      until not (ok and widget)
      if ok then
        lu.assertEquals(taken, all)
      else
        lu.assertStrContains(widget, "in the middle of a page")
      end
    end
    lu.assertTrue(met > 0)
  end
end

function TestList.testErrorInTheLoop()
  raises("in the body", function()
    for w in widgets.list { per_page = 5 } do
      error("in the body of " .. w.sitekey)
    end
  end)
end

function TestList.testCollectedHalfWay()
  for _ = 1, 20 do
    local iterator, state, control = widgets.list { per_page = 5 }
    lu.assertNotNil(iterator(state, control))
  end
  collectgarbage()
  collectgarbage()
  lu.assertEquals(#names { per_page = 5 }, COUNT)
end

function TestList.testCallsInTheLoop()
  local count = 0
  for w in widgets.list { per_page = 5 } do
    lu.assertEquals(assert(widgets.get(w.sitekey)).name, w.name)
    count = count + 1
  end
  lu.assertEquals(count, COUNT)
end

function TestList.testNestedLists()
  local pairs_seen = 0
  for _ in widgets.list { per_page = 10 } do
    for _ in widgets.list { per_page = 5 } do
      pairs_seen = pairs_seen + 1
    end
  end
  lu.assertEquals(pairs_seen, COUNT * COUNT)
end

function TestList.testListsSideBySide()
  local results = task.map({ 5, 6, 7, 8, 1000 }, function(per_page)
    return names { order = "name", per_page = per_page }
  end)
  for _, result in ipairs(results) do
    lu.assertEquals(result, expected())
  end
end

-- One list read by two tasks is a mistake that is told, not a mixed-up list.
function TestList.testOneListTwoTasks()
  local iterator = widgets.list { per_page = 5 }
  local function read()
    local count = 0
    while iterator() do
      count = count + 1
    end
    return count
  end
  local first, second = task.spawn(read), task.spawn(read)
  local ok, problem = pcall(second.await, second)
  lu.assertFalse(ok)
  lu.assertStrContains(problem, "two tasks read the same list")
  lu.assertEquals(first:await(), COUNT)
end

-- What is created while the list is read comes last in the default order, and disturbs nothing.
function TestList.testCreationWhileReading()
  local added
  local seen, count = {}, 0
  for w in widgets.list { per_page = 5 } do
    lu.assertNil(seen[w.sitekey])
    seen[w.sitekey] = true
    count = count + 1
    added = added or assert(widgets.create {
      name = "late", domains = { "late.example" }, mode = "managed",
    })
  end
  lu.assertTrue(count == COUNT or count == COUNT + 1, count)
  assert(widgets.delete(added))
end

-- Read from the end backwards, every row of a new widget pushes one over to the next page, where it
-- comes a second time: it is passed over.
-- Renames row after row of a list in pages of 5; how many, and what the list said.
local function rename(options)
  local count = 0
  options.per_page = 5
  local ok, err = pcall(function()
    for w in widgets.list(options) do
      count = count + 1
      local name = w.name
      assert(widgets.update(w, { name = "zz " .. name }))
      assert(widgets.update(w.sitekey, { name = name }))
    end
  end)
  return count, ok, err
end

function TestList.testMovingWidgetsWhileReading()
  for _, options in ipairs {
    { filter = "name:" .. name_of(1):sub(1, 3) }, { order = "name" }, { order = "modified_on" },
  } do
    local count, ok, err = rename(options)
    lu.assertFalse(ok)
    lu.assertEquals(err.kind, "decode")
    lu.assertStrContains(err.message, "collect with widgets.all before")
    lu.assertEquals(count, 5)
    err:forgive "meant"
  end
  for _, options in ipairs { {}, { order = "modified_on", direction = "desc" } } do
    local count, ok = rename(options)
    lu.assertTrue(ok)
    lu.assertEquals(count, COUNT)
  end
end

function TestList.testRepeatsAreDropped()
  local late = {}
  local seen, count = {}, 0
  for w in widgets.list { per_page = 5, order = "created_on", direction = "desc" } do
    lu.assertNil(seen[w.sitekey])
    seen[w.sitekey] = true
    count = count + 1
    if #late < 2 then
      late[#late + 1] = assert(widgets.create {
        name = "late", domains = { "late.example" }, mode = "managed",
      })
    end
  end
  for _, w in ipairs(made) do
    lu.assertTrue(seen[w.sitekey])
  end
  lu.assertTrue(count >= COUNT, count)
  task.each(late, function(w) assert(widgets.delete(w)) end)
end

function TestList.testMisuse()
  local function misuse(part, options)
    for _, fn in ipairs { widgets.list, widgets.all } do
      local ok, problem = pcall(function() fn(options) end)
      lu.assertFalse(ok)
      lu.assertStrMatches(problem, ".*list_test%.lua:%d+: .*")
      lu.assertStrContains(problem, part)
    end
  end
  misuse("unknown field `pag`", { pag = 2 })
  misuse("unknown field `per_pag` (did you mean `per_page`?)", { per_pag = 5 })
  misuse("`per_page` must be a whole number from 5 to 1000", { per_page = 4 })
  misuse("`per_page` must be a whole number from 5 to 1000", { per_page = 1001 })
  misuse("`per_page` must be a whole number from 5 to 1000", { per_page = 5.5 })
  misuse("`per_page` must be a number, is a string", { per_page = "5" })
  misuse("`order` is \"nam\", must be one of: id, sitekey, name, created_on, modified_on"
    .. " (did you mean `name`?)", { order = "nam" })
  misuse("`direction` is \"up\", must be one of: asc, desc", { direction = "up" })
  misuse("`filter` must read", { filter = "fleet" })
  misuse("`filter` must be a string", { filter = {} })
  misuse("a table expected, got string", "name")
  misuse("options are named", { "name" })
end

function TestList.testInsideCoroutine()
  local count = 0
  for name in coroutine.wrap(function()
    for w in widgets.list { per_page = 5 } do
      coroutine.yield(w.name)
    end
  end) do
    lu.assertStrMatches(name, "fleet %d%d")
    count = count + 1
  end
  lu.assertEquals(count, COUNT)
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestList", TestList } })
