-- SPDX-License-Identifier: MIT
-- What a plan saw of a widget, held against the widget as it is.
local lu = require "luaunit"
local expectation = require "tshost.expectation"
local widgets = require "turnstile".widgets

local TestExpectation = {}

function TestExpectation.testDomainsAreASet()
  lu.assertTrue(expectation.is_same({ "a.example", "B.example" }, { "b.example", "a.example" }))
  lu.assertFalse(expectation.is_same({ "a.example" }, { "a.example", "b.example" }))
  lu.assertFalse(expectation.is_same({ "a.example" }, {}))
  lu.assertTrue(expectation.is_same({}, {}))
end

function TestExpectation.testWhatOneOfThemLacksTellsNothing()
  lu.assertNil(expectation.differing({ name = "a", offlabel = false }, { name = "a" }))
  lu.assertNil(expectation.differing({ name = "a" }, { name = "a", mode = "managed" }))
  lu.assertNil(expectation.differing({ region = require "cjson".null }, { region = "world" }))
end

function TestExpectation.testAllDifferencesAreNamedInOrder()
  local saw = { name = "a", mode = "managed", domains = { "a.example", "b.example" }, offlabel = true }
  local live = { name = "b", mode = "invisible", domains = { "b.example" }, offlabel = false }
  local names = expectation.differing(saw, live)
  lu.assertEquals(names, { "domains", "mode", "name", "offlabel" })
  lu.assertEquals(expectation.told(names, saw, live), "`domains` no longer has a.example; "
    .. '`mode` is "invisible", expected "managed"; `name` is "b", expected "a"; '
    .. "`offlabel` is false, expected true")
end

function TestExpectation.testLongValuesAreCut()
  local saw, live = { name = "a", domains = {} }, { name = ("b"):rep(200), domains = {} }
  for i = 1, 9 do
    live.domains[i] = i .. ".example"
  end
  local told = expectation.told({ "domains", "name" }, saw, live)
  lu.assertStrContains(told, "now has 1.example, 2.example, 3.example and 6 more")
  lu.assertStrContains(told, '"' .. ("b"):rep(60) .. '..."')
end

-- Scripts have no part in it: what they pass too much is not looked at.
function TestExpectation.testScriptsExpectNothing()
  local made = assert(widgets.create { name = "a", domains = { "a.example" }, mode = "managed" })
  assert(widgets.update(made, { name = "b" }, { name = "another" }))
  assert(widgets.rotate_secret(made.sitekey, {}, { name = "another" }))
  assert(widgets.delete(made.sitekey, { name = "another" }))
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestExpectation", TestExpectation } })
