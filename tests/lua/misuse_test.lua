-- SPDX-License-Identifier: MIT
-- What no answer of the world could make right raises, with the script's line, before anything is
-- sent.
local lu = require "luaunit"
local turnstile = require "turnstile"

local widgets = turnstile.widgets
local NO_WIDGET = "0x4AAAAAAAAAAAAAAAAAAAAA"

local TestMisuse = {}

-- The call must raise, naming the file and line that made it.
local function misuse(part, fn, ...)
  local arguments = table.pack(...)
  local ok, problem = pcall(function()
    fn(table.unpack(arguments, 1, arguments.n))
  end)
  lu.assertFalse(ok)
  lu.assertEquals(type(problem), "string")
  lu.assertStrContains(problem, part)
  lu.assertStrMatches(problem, ".*misuse_test%.lua:%d+: .*")
end

function TestMisuse.testMisspelt()
  misuse("turnstile.widgets has no `creat` (did you mean `create`?)",
    function() turnstile.widgets.creat {} end)
  misuse("turnstile.widgets has no `rotate_secrets` (did you mean `rotate_secret`?)",
    function() turnstile.widgets.rotate_secrets(NO_WIDGET) end)
  misuse("turnstile has no `widget` (did you mean `widgets`?)",
    function() return turnstile.widget end)
  misuse("turnstile.widgets has no `frobnicate`", function() return widgets.frobnicate end)
  misuse("turnstile cannot be changed: `widgets`", function() turnstile.widgets = {} end)
  misuse("turnstile.widgets cannot be changed: `get`", function() widgets.get = print end)
  local names = {}
  for name in pairs(widgets) do
    names[#names + 1] = name
  end
  lu.assertItemsEquals(names,
    { "list", "all", "get", "create", "update", "delete", "rotate_secret" })
end

-- Taken for options, the module would be an empty table: a filter that is not there lists everything.
function TestMisuse.testColonForDot()
  local fields = { name = "x", domains = { "x.example" }, mode = "managed" }
  for name, arguments in pairs {
    list = { { filter = "name:x" } }, all = { { filter = "name:x" } }, get = { NO_WIDGET },
    create = { fields }, update = { NO_WIDGET, { name = "x" } }, delete = { NO_WIDGET },
    rotate_secret = { NO_WIDGET },
  } do
    misuse(("widgets.%s: call it with a dot, not with a colon"):format(name),
      function() widgets[name](widgets, table.unpack(arguments)) end)
  end
  misuse("siteverify: call it with a dot", function() turnstile:siteverify {} end)
  misuse("turnstile.client: call it with a dot", function() turnstile:client {} end)
end

function TestMisuse.testListNotCalled()
  misuse("widgets.list: call it, as in: for widget in widgets.list() do", function()
    for _ in widgets.list do end
  end)
end

function TestMisuse.testSitekeyMisuse()
  for name, fn in pairs {
    get = widgets.get, delete = widgets.delete, rotate_secret = widgets.rotate_secret,
    update = function(key) return widgets.update(key, { name = "x" }) end,
  } do
    local at = "widgets." .. name .. ": "
    misuse(at .. "a sitekey or a widget expected, got a nil", fn)
    misuse(at .. "a sitekey or a widget expected, got a number", fn, 5)
    misuse(at .. "the sitekey is empty", fn, "")
    misuse(at .. "\"a/b\" cannot be a sitekey", fn, "a/b")
    misuse(at .. "\"..\" cannot be a sitekey", fn, "..")
    misuse(at .. "the sitekey has 33 characters", fn, ("x"):rep(33))
    misuse(at .. "a sitekey or a widget expected, got a table whose `sitekey` is a nil", fn, {})
    misuse("got a table whose `sitekey` is a boolean", fn, { sitekey = true })
  end
  misuse("cannot be a sitekey", widgets.get, "a\0b")
end

function TestMisuse.testCreateMisuse()
  local function create(changes)
    local fields = { name = "acme", domains = { "acme.example" }, mode = "managed" }
    for name, value in pairs(changes) do
      fields[name] = value
    end
    return widgets.create(fields)
  end
  misuse("widgets.create: a table of fields expected, got nil", widgets.create)
  misuse("widgets.create: a table of fields expected, got string", widgets.create, "acme")
  misuse("`name` is missing", widgets.create, { domains = { "a.example" }, mode = "managed" })
  misuse("`domains` is missing", widgets.create, { name = "acme", mode = "managed" })
  misuse("`mode` is missing", widgets.create, { name = "acme", domains = { "a.example" } })
  misuse("a widget has no field `nam` (did you mean `name`?)", create, { nam = "x" })
  misuse("a widget has no field `colour`", create, { colour = "x" })
  misuse("fields are named, but there is a number key", create, { "x" })
  misuse("`sitekey` is set by the service", create, { sitekey = NO_WIDGET })
  misuse("`secret` is set by the service", create, { secret = "x" })
  misuse("`name` must be a string, is a number", create, { name = 5 })
  misuse("`name` has 0 characters, must have 1 to 254", create, { name = "" })
  misuse("`name` has 255 characters", create, { name = ("x"):rep(255) })
  misuse("`name` is not valid UTF-8", create, { name = "\xff" })
  misuse("`mode` is \"managd\", must be one of: managed, non-interactive, invisible", create,
    { mode = "managd" })
  misuse("`region` is \"mars\", must be one of: world, china", create, { region = "mars" })
  misuse("`clearance_level` is", create, { clearance_level = "high" })
  misuse("`offlabel` must be a boolean, is a string", create, { offlabel = "true" })
  misuse("domains must be a list of hostnames, is a string", create, { domains = "a.example" })
  misuse("domains must be a list without gaps or named keys", create,
    { domains = { add = { "a.example" } } })
  misuse("domains must be a list without gaps or named keys", create,
    { domains = { "a.example", nil, "b.example" } })
  misuse("domains must be a list without gaps or named keys", create,
    { domains = { "a.example", nil, "b.example", [0] = "c.example" } })
  misuse("domain 2 must be a string, is a number", create, { domains = { "a.example", 5 } })
  misuse("has a scheme: write the hostname alone", create, { domains = { "https://a.example" } })
  misuse("has a path", create, { domains = { "a.example/login" } })
  misuse("has a port", create, { domains = { "a.example:443" } })
  misuse("has a wildcard", create, { domains = { "*.a.example" } })
  misuse("write the punycode form", create, { domains = { "b\u{fc}cher.example" } })
  misuse("is not a hostname", create, { domains = { "a..example" } })
  misuse("is not a hostname", create, { domains = { "a b.example" } })
  misuse("a domain is empty", create, { domains = { "" } })
end

function TestMisuse.testUpdateMisuse()
  local key = NO_WIDGET
  misuse("widgets.update: a table of fields expected, got nil", widgets.update, key)
  misuse("`region` is fixed when a widget is created", widgets.update, key, { region = "world" })
  misuse("`secret` is set by the service", widgets.update, key, { secret = "x" })
  misuse("unknown field `ad` (did you mean `add`?)", widgets.update, key,
    { domains = { ad = { "a.example" } } })
  misuse("domains must be a list of hostnames, is a string", widgets.update, key,
    { domains = { add = "a.example" } })
  misuse("domains must be a list without gaps or named keys", widgets.update, key,
    { domains = { "a.example", add = { "b.example" } } })
  misuse("has a port", widgets.update, key, { domains = { remove = { "a.example:80" } } })
  misuse('domain "a.example" is both added and removed', widgets.update, key,
    { domains = { add = { "b.example", "A.example" }, remove = { "a.example." } } })
  misuse("`name` must be a string, is a boolean", widgets.update, key, { name = false })
  misuse("`sitekey` is set by the service", widgets.update, key, { name = "x", sitekey = key })
end

function TestMisuse.testTooLarge()
  local domains = {}
  for i = 1, 100000 do
    domains[i] = ("d%d.example"):format(i)
  end
  misuse("the request is larger than 1 MiB", widgets.create,
    { name = "x", mode = "managed", domains = domains })
  misuse("the request is larger than 1 MiB", turnstile.siteverify,
    { response = "x", secret = ("x"):rep(1 << 21) })
end

function TestMisuse.testRotateMisuse()
  misuse("`invalidate_immediately` must be a boolean, is a string", widgets.rotate_secret,
    NO_WIDGET, { invalidate_immediately = "yes" })
  misuse("unknown field `invalidate`", widgets.rotate_secret, NO_WIDGET, { invalidate = true })
  misuse("a table expected, got boolean", widgets.rotate_secret, NO_WIDGET, true)
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestMisuse", TestMisuse } })
