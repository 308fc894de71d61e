-- SPDX-License-Identifier: MIT
-- turnstile.allowance: what is left of --allow rotate=2,delete,reveal.
local lu = require "luaunit"
local turnstile = require "turnstile"

local widgets = turnstile.widgets

local TestAllowance = {}

function TestAllowance.testCountsDown()
  local widget = assert(widgets.create { name = "a", domains = { "a.example" }, mode = "managed" })
  lu.assertIs(math.type(turnstile.allowance "rotate"), "integer")
  for left = 2, 1, -1 do
    lu.assertEquals(turnstile.allowance "rotate", left)
    lu.assertEquals(turnstile.allowance "rotate", left) -- asking uses nothing up
    assert(widgets.rotate_secret(widget, { invalidate_immediately = true }))
  end
  lu.assertEquals(turnstile.allowance "rotate", 0)
  local _, err = widgets.rotate_secret(widget)
  lu.assertEquals(err.kind, "refused")
  err:forgive "the cap is what is tested"
end

function TestAllowance.testWithoutCapAndWithoutGrant()
  lu.assertEquals(turnstile.allowance "delete", math.huge)
  lu.assertEquals(turnstile.allowance "any-hostname", 0)
end

function TestAllowance.testMisuse()
  for _, kind in ipairs { "rotat", "", 1, {} } do
    lu.assertErrorMsgContains("allowance_test.lua:", function()
      return turnstile.allowance(kind)
    end)
  end
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestAllowance", TestAllowance } })
