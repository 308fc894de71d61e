-- SPDX-License-Identifier: MIT
-- Tasks that wait for what another task does. All are woken when it is done and look again.
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

return holds
