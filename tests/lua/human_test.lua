-- SPDX-License-Identifier: MIT
-- Module human: the figures of the summary, for scripts.
local lu = require "luaunit"
local human = require "human"

local TestHuman = {}

function TestHuman.testCountsHaveCommas()
  lu.assertEquals(human.count(0), "0")
  lu.assertEquals(human.count(12400), "12,400")
  lu.assertEquals(human.count(-1e6), "-1,000,000")
end

function TestHuman.testDurationsHaveTwoUnitsAtMost()
  lu.assertEquals(human.duration(0), "0 s")
  lu.assertEquals(human.duration(0.4), "0.4 s")
  lu.assertEquals(human.duration(605), "10 min 5 s")
  lu.assertEquals(human.duration(1e12), "11574074 d 2 h")
end

function TestHuman.testAnythingElseIsMisuse()
  for _, value in ipairs { "7", {}, 1.5, 1 / 0, 0 / 0 } do
    lu.assertErrorMsgContains("human_test.lua", function() human.count(value) end)
    lu.assertErrorMsgContains("a whole number expected", human.count, value)
  end
  for _, value in ipairs { "7", {}, -1, 1 / 0, 0 / 0 } do
    lu.assertErrorMsgContains("human_test.lua", function() human.duration(value) end)
    lu.assertErrorMsgContains("seconds expected", human.duration, value)
  end
  lu.assertErrorMsgContains("got nil", human.count, nil)
  lu.assertErrorMsgContains("got nil", human.duration, nil)
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestHuman", TestHuman } })
