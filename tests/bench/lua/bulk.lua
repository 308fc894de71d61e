-- SPDX-License-Identifier: MIT
-- bulk.lua COUNT IN_FLIGHT: adds a domain to every widget of the fleet, from what the list says.
local task = require "task"
local widgets = require "turnstile".widgets

local count, in_flight = math.tointeger(arg[1]), math.tointeger(arg[2])
local done = 0

task.each(widgets.list(), function(widget)
  assert(widgets.update(widget, { domains = { add = { "new.acme.example" } } }))
  done = done + 1
end, { concurrency = in_flight })

assert(done == count)
