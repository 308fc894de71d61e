-- SPDX-License-Identifier: MIT
-- get.lua COUNT IN_FLIGHT: reads that many widgets and looks at each.
local task = require "task"
local widgets = require "turnstile".widgets

local count, in_flight = math.tointeger(arg[1]), math.tointeger(arg[2])
local domains = 0

local function sitekeys()
  local i = 0
  return function()
    i = i + 1
    return i <= count and ("0x4%021d"):format(i) or nil
  end
end

task.each(sitekeys(), function(sitekey)
  local widget = assert(widgets.get(sitekey))
  domains = domains + #widget.domains
end, { concurrency = in_flight })

assert(domains == 3 * count)
