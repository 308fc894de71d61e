-- SPDX-License-Identifier: MIT
-- journal.lua COUNT IN_FLIGHT: gives every widget another domain, a new one each time it is run.
local task = require "task"
local widgets = require "turnstile".widgets

local count, in_flight = math.tointeger(arg[1]), math.tointeger(arg[2])
local domain = ("d%x.acme.example"):format(math.random(0))
local done = 0

task.each(widgets.list(), function(widget)
  assert(widgets.update(widget, { domains = { domain } }))
  done = done + 1
end, { concurrency = in_flight })

assert(done == count)
