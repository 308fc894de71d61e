-- SPDX-License-Identifier: MIT
-- turnstile.budget and turnstile.estimate. The sandbox says that a million requests go in 300 s.
local lu = require "luaunit"
local turnstile = require "turnstile"

local TestBudget = {}

function TestBudget.setUp()
  turnstile.widgets.all() -- the first answer tells the policy
end

function TestBudget.testWhatIsLeftIsCounted()
  local before = turnstile.budget()
  lu.assertEquals(before.limit, 1000000)
  lu.assertEquals(before.window, 300)
  lu.assertEquals(before.reserve, 12)
  lu.assertEquals(before.paused, 0)
  lu.assertEquals(before.others, 0)
  lu.assertEquals(before.wait, 0)
  lu.assertNil(before.reason)
  for _ = 1, 5 do
    turnstile.widgets.all()
  end
  lu.assertEquals(before.left - turnstile.budget().left, 5)
end

function TestBudget.testFiguresAreIntegers()
  for name, value in pairs(turnstile.budget()) do
    lu.assertEquals(math.type(value), "integer", name)
  end
end

function TestBudget.testClientsOfOneTokenShareIt()
  local client = turnstile.client {}
  client.widgets.all()
  lu.assertEquals(client.budget(), turnstile.budget())
  lu.assertEquals(client.estimate(10), turnstile.estimate(10))
end

function TestBudget.testWhatIsLeftTakesNoTime()
  lu.assertEquals(turnstile.estimate(0), 0)
  lu.assertEquals(turnstile.estimate(1000), 0)
end

function TestBudget.testTheRestTakesWindows()
  local seconds = turnstile.estimate(1500000)
  lu.assertTrue(seconds > 290 and seconds < 310, seconds)
  seconds = turnstile.estimate(2500000)
  lu.assertTrue(seconds > 590 and seconds < 610, seconds)
end

function TestBudget.testMisuse()
  for _, value in ipairs { -1, 1.5, "10", {}, 1e300 } do
    lu.assertErrorMsgContains("whole number", turnstile.estimate, value)
  end
  lu.assertErrorMsgContains("with a dot", function() turnstile:budget() end)
  lu.assertErrorMsgContains("with a dot", function() turnstile:estimate(1) end)
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestBudget", TestBudget } })
