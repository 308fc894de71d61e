-- SPDX-License-Identifier: MIT
-- One task at a time for each key. Tasks that wait are all woken when a hold ends and look again, so
-- that one which was cancelled meanwhile takes nobody's turn with it.
local task = require "tshost.task_core"

local holds = {}

---Suspends the task until another one calls `holds.wake` with the same list.
function holds.wait(waiting)
  waiting[#waiting + 1] = task.self()
  task.park()
end

---Wakes all that wait. A wake may come for nothing: whoever waits looks again.
function holds.wake(waiting)
  for i = #waiting, 1, -1 do
    local waiter = waiting[i]
    waiting[i] = nil
    task.wake(waiter)
  end
end

---A function that takes the hold of a key, and gives a value to be closed.
function holds.new()
  local held = {} -- key -> its hold, in which those that wait stand
  local Hold = {}

  function Hold:__close()
    held[self.key] = nil
    holds.wake(self)
  end

  return function(key)
    while held[key] do
      holds.wait(held[key])
    end
    local hold = setmetatable({ key = key }, Hold)
    held[key] = hold
    return hold
  end
end

return holds
