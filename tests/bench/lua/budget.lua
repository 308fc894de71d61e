-- SPDX-License-Identifier: MIT
-- budget.lua COUNT SITEKEY: reads one widget so many times, as fast as the budget allows.
local task = require "task"
local widgets = require "turnstile".widgets

local left, sitekey = math.tointeger(arg[1]), arg[2]

task.each(function()
  left = left - 1
  return left >= 0 and left or nil
end, function()
  assert(widgets.get(sitekey))
end, { concurrency = 32 })
