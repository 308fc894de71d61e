-- SPDX-License-Identifier: MIT
-- What a run over the fleet costs, said before it begins.
local human = require "human"

local cost = {}

local PAGE <const> = 1000 -- widgets that one request lists

---One line: "12,400 widgets: 13 + 3,100 requests, about 10 min 5 s".
---@param fleet integer widgets in the account, which were listed
---@param requests integer what follows the list
---@param seconds? number what these take at least, where it is known
---@return string
function cost.line(fleet, requests, seconds)
  local pages = math.max(1, (fleet + PAGE - 1) // PAGE)
  local line = ("%s widgets: %s + %s requests")
    :format(human.count(fleet), human.count(pages), human.count(requests))
  return seconds and requests > 0 and line .. ", about " .. human.duration(seconds) or line
end

return cost
