-- SPDX-License-Identifier: MIT
-- A bit of everything that waits or owns something, small enough to be run ten thousand times.
-- arg[1] is a directory for secrets.
local cjson = require "cjson"
local csv = require "csv"
local task = require "task"
local turnstile = require "turnstile"

local widgets = turnstile.widgets
local dir = arg[1]

local made = task.map({ "acme", "bolt" }, function(name)
  local w = assert(widgets.create {
    name = name, domains = { name .. ".example" }, mode = "managed",
  })
  assert(w.secret:write(dir .. "/" .. name))
  return w
end)

local step = coroutine.wrap(function()
  for w in widgets.list { per_page = 5 } do
    coroutine.yield(w.sitekey)
  end
end)
local first = step()
assert(widgets.update(first, { domains = { add = { "shop.example" } } }))
assert(widgets.get(first).mode == "managed")
assert(step() ~= first)

local h = task.spawn(function()
  return made[1].secret:pipe { "sh", "-c", "cat > /dev/null" }
end)
assert(h:await())
task.sleep(0)

local none, err = widgets.get "0x4AAAAAAAAAAAAAAAAAAAAA"
assert(none == nil and err.status == 404, err)
local verdict = assert(turnstile.siteverify { secret = made[2].secret, response = "not a token" })
assert(verdict.success == false)
assert(cjson.decode(cjson.encode(made))[1].secret == "[secret]")
for row in csv.open(arg[2]) do
  assert(row.name and row.domains)
end
