-- SPDX-License-Identifier: MIT
-- The operations of kill.lua in tasks, as many at once as there can be. arg[1]: where secrets go.
local task = require "task"
local widgets = require("turnstile").widgets
local directory = arg[1]

local function append_to(name)
  return { "sh", "-c", 'cat >> "$0"', directory .. "/" .. name }
end

local function old(number)
  return ("0x4AAAAAAAkilled%08d"):format(number)
end

local function create(name, ...)
  return assert(widgets.create { name = name, domains = { ... }, mode = "managed" })
end

local function rotate(number, name, is_immediate)
  local w = assert(widgets.rotate_secret(old(number), { invalidate_immediately = is_immediate }))
  assert(w.secret:write(directory .. "/" .. name, { replace = true }))
  return w
end

local lanes = {
  function()
    local w = create("new one", "one.example")
    assert(w.secret:write(directory .. "/new one"))
    assert(widgets.update(w, { name = "new one, renamed" }))
  end,
  function()
    local w = create("new two", "two.example", "b.two.example")
    assert(w.secret:pipe(append_to "piped two"))
  end,
  function()
    local changes = { domains = { add = { "new.example" }, remove = { "gone.example" } } }
    assert(widgets.update(old(0), changes))
    assert(widgets.update(old(0), { mode = "invisible" }))
  end,
  function()
    rotate(1, "old rotate", true)
  end,
  function()
    assert(widgets.delete(old(2)))
  end,
  function()
    local w = rotate(3, "old grace", false)
    assert(w.secret:pipe(append_to "piped grace"))
  end,
  function()
    assert(create("twin", "twin.example").secret:write(directory .. "/twin 1"))
  end,
  function()
    assert(create("twin", "twin.example").secret:write(directory .. "/twin 2"))
  end,
  function()
    assert(widgets.delete(old(4)))
  end,
  function()
    assert(create("new three", "three.example").secret:write(directory .. "/new three"))
  end,
}

task.each(lanes, function(lane)
  lane()
end)
