-- SPDX-License-Identifier: MIT
-- create.lua COUNT IN_FLIGHT: creates that many widgets, a write each and nothing else.
local task = require "task"
local widgets = require "turnstile".widgets

local count, in_flight = math.tointeger(arg[1]), math.tointeger(arg[2])
local left = count

task.each(function()
  left = left - 1
  return left >= 0 and left or nil
end, function(number)
  assert(widgets.create {
    name = ("acme login %06d"):format(number),
    domains = { "acme.example", "login.acme.example", "shop.acme.example" },
    mode = "managed",
  })
end, { concurrency = in_flight })
