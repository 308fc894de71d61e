-- SPDX-License-Identifier: MIT
-- list.lua COUNT: goes through the whole fleet once, row by row.
local widgets = require "turnstile".widgets

local count, domains = 0, 0
for widget in widgets.list() do
  count = count + 1
  domains = domains + #widget.domains
end
assert(count == math.tointeger(arg[1]), count)
assert(domains == 3 * count)
