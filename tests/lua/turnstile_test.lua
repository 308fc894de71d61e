-- SPDX-License-Identifier: MIT
-- Every endpoint as scripts see it: results, merging, misuse with the script's line, errors.
local lu = require "luaunit"
local turnstile = require "turnstile"

local widgets = turnstile.widgets
local NO_WIDGET = "0x4AAAAAAAAAAAAAAAAAAAAA"
local NO_ACCOUNT = "00000000000000000000000000000001"

local TestTurnstile = {}

local function make(changes)
  local fields = { name = "acme", domains = { "acme.example" }, mode = "managed" }
  for name, value in pairs(changes or {}) do
    fields[name] = value
  end
  return assert(widgets.create(fields))
end

-- The call must raise, naming the file and line that made it.
local function misuse(part, fn, ...)
  local arguments = table.pack(...)
  local ok, problem = pcall(function()
    fn(table.unpack(arguments, 1, arguments.n))
  end)
  lu.assertFalse(ok)
  lu.assertEquals(type(problem), "string")
  lu.assertStrContains(problem, part)
  lu.assertStrMatches(problem, ".*turnstile_test%.lua:%d+: .*")
end

local function refused(part, result, err)
  lu.assertNil(result)
  lu.assertEquals(err.kind, "refused")
  lu.assertStrContains(tostring(err), part)
  err:forgive "expected"
end

function TestTurnstile.testCreate()
  local w = make { name = "created", domains = { "Acme.example", "shop.acme.example." } }
  lu.assertEquals(w.name, "created")
  lu.assertEquals(w.mode, "managed")
  lu.assertItemsEquals(w.domains, { "acme.example", "shop.acme.example" })
  lu.assertStrMatches(w.sitekey, "0x4[%w_-]+")
  lu.assertEquals(tostring(w.secret), "[secret]")
  lu.assertStrMatches(w.created_on, "%d%d%d%d%-%d%d%-%d%dT.*Z")
  lu.assertFalse(getmetatable(w)) -- it knows when it was read; pairs, copying and cjson work as ever
end

function TestTurnstile.testCreateWithEverything()
  local w = make {
    region = "china", clearance_level = "jschallenge", bot_fight_mode = true, ephemeral_id = true,
    offlabel = true,
  }
  lu.assertEquals({ w.region, w.clearance_level, w.bot_fight_mode, w.ephemeral_id, w.offlabel },
    { "china", "jschallenge", true, true, true })
end

function TestTurnstile.testCreateDropsRepeatedDomains()
  local w = make { domains = { "a.example", "A.example", "a.example.", "b.example" } }
  lu.assertItemsEquals(w.domains, { "a.example", "b.example" })
end

function TestTurnstile.testNamesCarryAnyText()
  for _, name in ipairs { "\"\\/\b\f\n\r\t\u{1}", "\u{e9}\u{6771}\u{1F600}", "%s %d %%", "</script>",
    ("\u{e9}"):rep(254) } do
    local w = make { name = name }
    lu.assertEquals(w.name, name)
    lu.assertEquals(assert(widgets.get(w.sitekey)).name, name)
  end
end

function TestTurnstile.testGet()
  local made = make { name = "got" }
  local w = assert(widgets.get(made.sitekey))
  lu.assertEquals(w.name, "got")
  lu.assertTrue(w.secret == made.secret)
  lu.assertEquals(assert(widgets.get(w)).sitekey, w.sitekey) -- a widget stands for its sitekey
end

function TestTurnstile.testUpdateChangesWhatIsNamed()
  local w = make { name = "before", domains = { "b.example", "a.example" }, bot_fight_mode = true,
    clearance_level = "managed", region = "china" }
  local updated = assert(widgets.update(w.sitekey, { name = "after" }))
  lu.assertEquals(updated.name, "after")
  updated = assert(widgets.get(w.sitekey))
  lu.assertEquals(updated.name, "after")
  lu.assertItemsEquals(updated.domains, { "a.example", "b.example" })
  lu.assertEquals({ updated.mode, updated.bot_fight_mode, updated.clearance_level, updated.region },
    { "managed", true, "managed", "china" })
  updated = assert(widgets.update(w, { bot_fight_mode = false, mode = "invisible" }))
  lu.assertEquals({ updated.name, updated.mode, updated.bot_fight_mode },
    { "after", "invisible", false })
end

-- What somebody else changed meanwhile stays: the merge is with what the server has, not with w.
function TestTurnstile.testUpdateMergesWithWhatIsThere()
  local stale = make { name = "merged" }
  assert(widgets.update(stale.sitekey, { domains = { add = { "theirs.example" } } }))
  local w = assert(widgets.update(stale, { domains = { add = { "ours.example" } } }))
  lu.assertItemsEquals(w.domains, { "acme.example", "ours.example", "theirs.example" })
end

function TestTurnstile.testUpdateDomains()
  local w = make { domains = { "a.example", "b.example", "c.example" } }
  w = assert(widgets.update(w, { domains = { add = { "D.example" }, remove = { "B.example." } } }))
  lu.assertItemsEquals(w.domains, { "a.example", "c.example", "d.example" })
  w = assert(widgets.update(w, { domains = { remove = { "a.example", "never.there.example" } } }))
  lu.assertItemsEquals(w.domains, { "c.example", "d.example" })
  w = assert(widgets.update(w, { domains = { "only.example" } }))
  lu.assertEquals(w.domains, { "only.example" })
end

-- The last row of a file wins, and a task that is cancelled takes nobody's turn with it.
function TestTurnstile.testUpdatesOfOneWidgetKeepTheirOrder()
  local task = require "task"
  local w = make { name = "order" }
  local order, handles = {}, {}
  for i = 1, 6 do
    handles[i] = task.spawn(function()
      assert(widgets.update(w.sitekey, { name = "order " .. i }))
      order[#order + 1] = i
    end)
  end
  task.sleep(0)
  handles[3]:cancel()
  for i = 1, 6 do
    pcall(handles[i].await, handles[i])
  end
  lu.assertEquals(order, { 1, 2, 4, 5, 6 })
  lu.assertEquals(assert(widgets.get(w.sitekey)).name, "order 6")
end

-- What one write was about leaves nothing behind for those that come after it, be it that it went
-- well, was misuse, was too long for the usual room, or was given up.
function TestTurnstile.testWritesLeaveNothingBehind()
  local task = require "task"
  local long = {}
  for i = 1, 15 do
    long[i] = ("%02d.%s.example"):format(i, ("long"):rep(10))
  end
  local results = task.map({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }, function(number)
    local w
    task.with_timeout(0, function() make { name = "never" } end)
    for round = 1, 3 do
      pcall(widgets.create, { name = "misuse", domains = long, mode = "none" })
      w = make {
        name = ("%d in round %d"):format(number, round),
        domains = round == 2 and long or { ("d%d.example"):format(number) },
        offlabel = number % 2 == 0,
      }
      w = assert(widgets.update(w, { name = w.name .. " again" }))
    end
    return assert(widgets.update(w.sitekey, { domains = { add = { "more.example" } } }))
  end, { concurrency = 12 })
  for number, w in ipairs(results) do
    lu.assertEquals(w.name, ("%d in round 3 again"):format(number))
    lu.assertEquals(w.offlabel, number % 2 == 0)
    lu.assertItemsEquals(w.domains, { ("d%d.example"):format(number), "more.example" })
  end
  for w in widgets.list { filter = "name:in round 2" } do
    lu.assertItemsEquals(w.domains, long)
  end
end

-- What a call holds on to is closed as it ends. The debug library reaches it, and may close it again.
function TestTurnstile.testWhatACallHeldIsClosedTwice()
  local task = require "task"
  local made = { make {}, make {}, make {} }
  local call = coroutine.create(widgets.get)
  local running = task.spawn(coroutine.resume, call, made[1].sitekey)
  task.sleep(0)
  local _, held = debug.getlocal(call, 0, 2)
  lu.assertIsUserdata(held)
  lu.assertTrue(running:await())
  for _ = 1, 2 do
    debug.getmetatable(held).__close(held)
  end
  local found = task.map(made, function(w) return assert(widgets.get(w.sitekey)).sitekey end)
  for i, w in ipairs(made) do
    lu.assertEquals(found[i], w.sitekey)
  end
end

function TestTurnstile.testUpdateWithoutChange()
  local w = make { domains = { "a.example", "b.example" } }
  local before = assert(widgets.get(w.sitekey))
  for _, changes in ipairs {
    { name = "acme" }, { domains = { "B.example", "a.example", "a.example" } }, {},
    { domains = { add = { "A.EXAMPLE" } } }, { domains = { remove = { "c.example" } } },
    { mode = "managed" },
  } do
    local same = assert(widgets.update(w.sitekey, changes))
    lu.assertEquals(same.modified_on, before.modified_on)
    lu.assertEquals(same.sitekey, w.sitekey)
    lu.assertEquals(tostring(same.secret), "[secret]")
  end
end

function TestTurnstile.testArgumentsAreLeftAlone()
  local fields = { name = "kept", domains = { "B.example", "a.example" }, mode = "managed" }
  local w = assert(widgets.create(fields))
  lu.assertEquals(fields, { name = "kept", domains = { "B.example", "a.example" },
    mode = "managed" })
  local domains = w.domains
  assert(widgets.update(w, { domains = { add = { "c.example" } } }))
  lu.assertIs(w.domains, domains)
  lu.assertEquals(#domains, 2)
end

function TestTurnstile.testDelete()
  local w = make()
  lu.assertTrue(widgets.delete(w))
  local none, err = widgets.get(w.sitekey)
  lu.assertNil(none)
  lu.assertEquals(err.status, 404)
  none, err = widgets.delete(w.sitekey)
  lu.assertNil(none)
  lu.assertEquals({ err.op, err.status, err.outcome }, { "delete", 404, "not_applied" })
  err:forgive "deleted before"
end

function TestTurnstile.testRotate()
  local w = make()
  local rotated = assert(widgets.rotate_secret(w.sitekey, { invalidate_immediately = false }))
  lu.assertEquals(rotated.sitekey, w.sitekey)
  lu.assertFalse(rotated.secret == w.secret)
  lu.assertTrue(assert(widgets.get(w)).secret == rotated.secret)
  local other = make()
  lu.assertFalse(assert(widgets.rotate_secret(other)).secret == other.secret)
  other = make()
  assert(widgets.rotate_secret(other, { invalidate_immediately = true }))
  assert(widgets.rotate_secret(other, { invalidate_immediately = true }))
end

function TestTurnstile.testAnyHostname()
  local w = make { name = "open", domains = {} }
  lu.assertEquals(w.domains, {})
  -- An update of something else keeps it open, and needs no permission of its own.
  lu.assertEquals(assert(widgets.update(w, { name = "still open" })).domains, {})
  w = make { name = "closed" }
  lu.assertEquals(assert(widgets.update(w, { domains = {} })).domains, {})
  w = make { name = "closed too" }
  lu.assertEquals(assert(widgets.update(w, { domains = { remove = { "acme.example" } } })).domains,
    {})
end

function TestTurnstile.testSiteverify()
  local w = make()
  local verdict = assert(turnstile.siteverify { secret = w.secret, response = "not a token" })
  lu.assertFalse(verdict.success)
  lu.assertEquals(verdict["error-codes"], { "invalid-input-response" })
  -- The published testing keys, as text.
  verdict = assert(turnstile.siteverify {
    secret = "1x0000000000000000000000000000000AA", response = "XXXX.DUMMY.TOKEN.XXXX",
    remoteip = "203.0.113.1", idempotency_key = "8e8fc4f5-4ea5-4c37-a8f6-8d7a6a0f7a3b",
  })
  lu.assertTrue(verdict.success)
  misuse("siteverify: `response` is missing", turnstile.siteverify, { secret = "x" })
  misuse("`secret` must be a secret or a string, is a nil", turnstile.siteverify,
    { response = "x" })
  misuse("a token has at most 2048", turnstile.siteverify,
    { secret = "x", response = ("x"):rep(2049) })
  misuse("did you mean `response`?", turnstile.siteverify, { secret = "x", respons = "x" })
  misuse("a table expected, got nil", turnstile.siteverify)
end

function TestTurnstile.testClient()
  local here = make { name = "of this account" }
  local other = turnstile.client { account_id = NO_ACCOUNT }
  lu.assertEquals(#other.widgets.all(), 0)
  local there = assert(other.widgets.create {
    name = "of the other", domains = { "a.example" }, mode = "managed",
  })
  lu.assertEquals(assert(other.widgets.get(there.sitekey)).name, "of the other")
  lu.assertEquals(select(2, widgets.get(there.sitekey)).status, 404)
  lu.assertEquals(select(2, other.widgets.get(here.sitekey)).status, 404)
  lu.assertTrue(other.widgets.delete(there))
  misuse("\"acme\" is not an account id", turnstile.client, { account_id = "acme" })
  misuse("`account_id` has a NUL byte in it", turnstile.client,
    { account_id = NO_ACCOUNT .. "\0" })
  misuse("`token_file` has a NUL byte in it", turnstile.client, { token_file = "\0" })
  misuse("did you mean `account_id`?", turnstile.client, { acount_id = NO_ACCOUNT })
  misuse("a table expected, got nil", turnstile.client)
  misuse("client has no `widget` (did you mean `widgets`?)", function() return other.widget end)
  misuse("client.widgets has no `gett` (did you mean `get`?)",
    function() return other.widgets.gett end)
end

-- Called through pcall, from a task and from a coroutine of C functions alone, the place is the
-- nearest line of the script.
function TestTurnstile.testPlaceWithoutLuaFunction()
  local task = require "task"
  for _, call in ipairs {
    function() return pcall(widgets.get, "a/b") end,
    function() return coroutine.resume(coroutine.create(widgets.get), "a/b") end,
    function() return pcall(coroutine.wrap(widgets.get), "a/b") end,
    function()
      local h = task.spawn(widgets.get, "a/b")
      return pcall(h.await, h)
    end,
    function() return pcall(task.each, { "a/b" }, widgets.get) end,
  } do
    local ok, problem = call()
    lu.assertFalse(ok)
    lu.assertStrMatches(problem, ".*turnstile_test%.lua:%d+: widgets%.get: \"a/b\" cannot be .*")
  end
  local h = task.spawn(widgets.delete, NO_WIDGET)
  local _, err = h:await()
  lu.assertStrMatches(err.place, ".*turnstile_test%.lua:%d+")
  err:forgive "expected"
end

function TestTurnstile.testError()
  local none, err = widgets.get(NO_WIDGET)
  local line = debug.getinfo(1, "l").currentline - 1
  lu.assertNil(none)
  lu.assertEquals(type(err), "table")
  lu.assertEquals({ err.kind, err.op, err.status, err.code, err.sitekey, err.attempts },
    { "api", "get", 404, 10404, NO_WIDGET, 1 })
  lu.assertEquals(math.type(err.status), "integer")
  lu.assertEquals(math.type(err.code), "integer")
  lu.assertFalse(err.retryable)
  lu.assertStrMatches(err.ray, "%x+%-%u+")
  lu.assertEquals(#err.errors, 1)
  lu.assertEquals(err.errors[1].code, 10404)
  lu.assertEquals(type(err.errors[1].message), "string")
  lu.assertNil(err.outcome) -- a read has none
  lu.assertStrMatches(err.place, ".*turnstile_test%.lua:" .. line)
  lu.assertEquals(tostring(err), ("get %s: HTTP 404, code 10404: %s (CF-Ray %s)")
    :format(NO_WIDGET, err.message, err.ray))
  lu.assertFalse(getmetatable(err))
end

function TestTurnstile.testErrorThroughAssert()
  local ok, err = pcall(function() assert(widgets.get(NO_WIDGET)) end)
  lu.assertFalse(ok)
  lu.assertEquals(err.status, 404) -- assert passes the table on
end

function TestTurnstile.testErrorIsCopyable()
  local _, err = widgets.get(NO_WIDGET)
  local copy = {}
  for name, value in pairs(err) do
    copy[name] = value
  end
  lu.assertEquals(copy.status, 404)
  local cjson = require "cjson"
  lu.assertEquals(cjson.decode(cjson.encode(err)).status, 404)
end

function TestTurnstile.testForgive()
  local _, err = widgets.delete(NO_WIDGET)
  lu.assertIs(err:forgive "not there anyway", err)
  err:forgive "twice is once"
  misuse("forgive: say why", err.forgive, err)
  misuse("forgive: say why", err.forgive, err, "")
  misuse("an error of this module expected, got table", err.forgive, {}, "why")
  local _, read = widgets.get(NO_WIDGET)
  read:forgive "a read that found nothing never counted"
end

function TestTurnstile.testServerRefuses()
  local domains = {}
  for i = 1, 16 do
    domains[i] = ("d%d.example"):format(i)
  end
  local none, err = widgets.create { name = "too many", domains = domains, mode = "managed" }
  lu.assertNil(none)
  lu.assertEquals({ err.kind, err.op, err.status, err.outcome },
    { "api", "create", 400, "not_applied" })
  lu.assertFalse(err.retryable)
  err:forgive "expected"
end

-- The run allows two reveals.
function TestTurnstile.testCap()
  local secret = make().secret
  lu.assertStrMatches(assert(secret:reveal()), "0x4[%w_-]+")
  lu.assertEquals(#assert(secret:reveal()), 35)
  refused("the cap of --allow reveal=2 is reached", secret:reveal())
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestTurnstile", TestTurnstile } })
