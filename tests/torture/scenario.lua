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

-- What is given up, and what fails, beside what goes on.
local function wait() task.sleep(1000) end
local slow = task.spawn(function()
  task.spawn(wait)
  pcall(wait)
end)
local late = task.spawn(widgets.get, first)
task.sleep(0)
slow:cancel()
late:cancel()
assert(not pcall(slow.await, slow) and slow:status() == "cancelled")
local timed, timeout = task.with_timeout(0, wait)
assert(timed == nil and timeout.kind == "timeout", timeout)
assert(task.with_timeout(1000, widgets.get, first).sitekey == first)
local _, count, errors = task.map(widgets.list { per_page = 5 }, function(w, i)
  return i == 1 and w or error(w)
end, { on_error = "collect", concurrency = 2 })
assert(count == 2 and #errors == 1 and errors[1].error.sitekey)
local ok, problem = pcall(task.each, { 1, 2 }, function(i)
  task.sleep(i == 1 and 0 or 1000)
  error "the first"
end)
assert(not ok and problem:find "the first", problem)

local none, err = widgets.get "0x4AAAAAAAAAAAAAAAAAAAAA"
assert(none == nil and err.status == 404, err)
local verdict = assert(turnstile.siteverify { secret = made[2].secret, response = "not a token" })
assert(verdict.success == false)
assert(cjson.decode(cjson.encode(made))[1].secret == "[secret]")
for row in csv.open(arg[2]) do
  assert(row.name and row.domains)
end

-- A task fails by itself while a client that is younger than what calls hold on to waits for an answer.
local other = turnstile.client { account_id = ("0123456789abcdef"):rep(2) }
local asked = task.spawn(other.widgets.get, first)
task.sleep(0)
local stray = task.spawn(coroutine.yield)
assert(not pcall(stray.await, stray))
assert(asked:await() == nil)
