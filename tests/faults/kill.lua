-- SPDX-License-Identifier: MIT
-- Twenty operations of all kinds, each relying on those before it. arg[1]: where secrets go.
local widgets = require("turnstile").widgets
local directory = arg[1]

local function fields(name, ...)
  return { name = name, domains = { ... }, mode = "managed" }
end

local function append_to(name)
  return { "sh", "-c", 'cat >> "$0"', directory .. "/" .. name }
end

local function named(name)
  for w in widgets.list { filter = "name:" .. name } do
    if w.name == name then
      return assert(widgets.get(w)) -- with its secret, so that a rotation can be told later
    end
  end
  error("no widget " .. name)
end

local one = assert(widgets.create(fields("new one", "one.example"))) -- 1
assert(one.secret:write(directory .. "/new one")) -- 2
local two = assert(widgets.create(fields("new two", "two.example", "b.two.example"))) -- 3
assert(two.secret:pipe(append_to "piped two")) -- 4
local old = named "old update"
assert(widgets.update(old, { domains = { add = { "new.example" }, remove = { "gone.example" } } })) -- 5
assert(widgets.update(old, { mode = "invisible" })) -- 6
local rotated = assert(widgets.rotate_secret(named "old rotate", { invalidate_immediately = true })) -- 7
assert(rotated.secret:write(directory .. "/old rotate", { replace = true })) -- 8
assert(widgets.delete(named "old delete")) -- 9
local graced = assert(widgets.rotate_secret(named "old grace", { invalidate_immediately = false })) -- 10
assert(graced.secret:write(directory .. "/old grace", { replace = true })) -- 11
assert(graced.secret:pipe(append_to "piped grace")) -- 12
for i = 1, 2 do -- alike in everything
  local twin = assert(widgets.create(fields("twin", "twin.example"))) -- 13, 15
  assert(twin.secret:write(directory .. "/twin " .. i)) -- 14, 16
end
assert(widgets.update(one, { name = "new one, renamed" })) -- 17
assert(widgets.delete(named "old delete too")) -- 18
local three = assert(widgets.create(fields("new three", "three.example"))) -- 19
assert(three.secret:write(directory .. "/new three")) -- 20
