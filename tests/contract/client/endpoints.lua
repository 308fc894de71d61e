-- SPDX-License-Identifier: MIT
-- Uses every endpoint as scripts do, so that the test can look at what went over the wire.
-- The names of the widgets carry characters that a path, a query or JSON could get wrong.
local turnstile = require "turnstile"
local task = require "task"
local widgets = turnstile.widgets

local function find(filter, per_page)
  local found = {}
  for w in widgets.list{ filter = filter, per_page = per_page, order = "name",
    direction = "desc" } do
    found[#found + 1] = w
  end
  return found
end

local name = "acme & co: 100% \"login\"? #1 + \\ / caf\u{e9} \u{6771}\u{4eac}"
local made = assert(widgets.create{ name = name, domains = { "Acme.example", "b.acme.example." },
  mode = "managed" })
local full = assert(widgets.create{
  name = "acme full",
  domains = { "acme.example", "203.0.113.1", "2001:db8::1", "localhost" },
  mode = "non-interactive",
  region = "china",
  clearance_level = "jschallenge",
  bot_fight_mode = true,
  ephemeral_id = true,
  offlabel = true,
})
local open = assert(widgets.create{ name = "any host", domains = {}, mode = "invisible" })

assert(assert(widgets.get(made.sitekey)).name == name)
assert(#find("name:" .. name) == 1)
assert(#find("sitekey:" .. full.sitekey) == 1)
assert(#widgets.all() == 3)
assert(#widgets.all{ order = "created_on", direction = "asc" } == 3)

-- Updates: by sitekey, from a widget, domains as a whole, as additions, down to none.
assert(widgets.update(made.sitekey, { name = "acme renamed" }))
local w = assert(widgets.update(made, { domains = { add = { "shop.acme.example" } } }))
w = assert(widgets.update(w, { domains = { remove = { "b.acme.example" } } }))
assert(widgets.update(w.sitekey, { domains = { "only.acme.example" }, mode = "invisible" }))
assert(widgets.update(full, { clearance_level = "interactive", offlabel = false }))
assert(widgets.update(open.sitekey, { bot_fight_mode = true }))
assert(#assert(widgets.get(open.sitekey)).domains == 0)

local rotated = assert(widgets.rotate_secret(made.sitekey, { invalidate_immediately = true }))
assert(widgets.rotate_secret(full.sitekey, { invalidate_immediately = false }))
assert(widgets.rotate_secret(open.sitekey))

local v = assert(turnstile.siteverify{ secret = rotated.secret, response = "not a token" })
assert(v.success == false)

-- Many at once, so that exchanges overlap.
local names = {}
for i = 1, 40 do
  names[i] = "bulk " .. i
end
local bulk = task.map(names, function(text)
  return (assert(widgets.create{ name = text, domains = { "bulk.example" }, mode = "managed" }))
end)
task.each(bulk, function(b)
  assert(widgets.update(b, { domains = { add = { "more.bulk.example" } } }))
end, { concurrency = 8 })
assert(#find("name:bulk", 5) == 40)
assert(#widgets.all{ per_page = 20 } == 43)
task.each(bulk, function(b)
  assert(widgets.delete(b.sitekey))
end)

-- What is not there: refused by the server, and forgiven.
local gone = bulk[1].sitekey
local none, err = widgets.get(gone)
assert(none == nil and err.status == 404 and err.code == 10404)
none, err = widgets.delete(gone)
assert(none or err.status == 404)
if err then
  err:forgive("it is gone")
end

for _, left in ipairs{ made, full, open } do
  assert(widgets.delete(left.sitekey))
end
print("done")
