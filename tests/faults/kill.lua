-- SPDX-License-Identifier: MIT
-- Twenty operations of all kinds, each relying on those before it. Old widgets go by sitekey, as from
-- a list that somebody made: one that is deleted is not found any more. arg[1]: where secrets go.
local widgets = require("turnstile").widgets
local directory = arg[1]

local function fields(name, ...)
  return { name = name, domains = { ... }, mode = "managed" }
end

local function append_to(name)
  return { "sh", "-c", 'cat >> "$0"', directory .. "/" .. name }
end

local function old(number)
  return ("0x4AAAAAAAkilled%08d"):format(number)
end

local one = assert(widgets.create(fields("new one", "one.example"))) -- 1
assert(one.secret:write(directory .. "/new one")) -- 2
local two = assert(widgets.create(fields("new two", "two.example", "b.two.example"))) -- 3
assert(two.secret:pipe(append_to "piped two")) -- 4
local listed = widgets.all { filter = "name:old update" }[1]
assert(widgets.update(listed, { domains = { add = { "new.example" }, remove = { "gone.example" } } })) -- 5
assert(widgets.update(listed, { mode = "invisible" })) -- 6
local rotated = assert(widgets.rotate_secret(old(1), { invalidate_immediately = true })) -- 7
assert(rotated.secret:write(directory .. "/old rotate", { replace = true })) -- 8
assert(widgets.delete(old(2))) -- 9
local graced = assert(widgets.rotate_secret(assert(widgets.get(old(3))), { invalidate_immediately = false })) -- 10
assert(graced.secret:write(directory .. "/old grace", { replace = true })) -- 11
assert(graced.secret:pipe(append_to "piped grace")) -- 12
for i = 1, 2 do -- alike in everything
  local twin = assert(widgets.create(fields("twin", "twin.example"))) -- 13, 15
  assert(twin.secret:write(directory .. "/twin " .. i)) -- 14, 16
end
assert(widgets.update(one, { name = "new one, renamed" })) -- 17
assert(widgets.delete(old(4))) -- 18
local three = assert(widgets.create(fields("new three", "three.example"))) -- 19
assert(three.secret:write(directory .. "/new three")) -- 20
