-- SPDX-License-Identifier: MIT
-- tasks.lua each|sleep|spawn COUNT: that many tasks that do nothing.
local task = require "task"

local kind, count = arg[1], math.tointeger(arg[2])
local done = 0

local function numbers()
  local i = 0
  return function()
    i = i + 1
    return i <= count and i or nil
  end
end

local function note()
  done = done + 1
end

if kind == "each" then
  task.each(numbers(), note)
elseif kind == "sleep" then
  task.each(numbers(), function()
    task.sleep(0)
    note()
  end)
else
  for _ = 1, count do
    task.spawn(note):await()
  end
end
assert(done == count)
