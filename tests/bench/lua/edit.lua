-- SPDX-License-Identifier: MIT
-- edit.lua COUNT IN_FLIGHT: adds a domain to that many widgets, a read and a write each.
local task = require "task"
local widgets = require "turnstile".widgets

local count, in_flight = math.tointeger(arg[1]), math.tointeger(arg[2])

local function sitekeys()
  local i = 0
  return function()
    i = i + 1
    return i <= count and ("0x4%021d"):format(i) or nil
  end
end

task.each(sitekeys(), function(sitekey)
  assert(widgets.update(sitekey, { domains = { add = { "new.acme.example" } } }))
end, { concurrency = in_flight })
