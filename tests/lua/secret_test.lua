-- SPDX-License-Identifier: MIT
-- Secret handles: nothing shows them, they go to files and commands, and failures count.
local cjson = require "cjson"
local fs = require "fs"
local lu = require "luaunit"
local task = require "task"
local turnstile = require "turnstile"

local widgets = turnstile.widgets
local MASK = "[secret]"

local TestSecret = {}

function TestSecret:setUp()
  self.dir = os.tmpname()
  os.remove(self.dir)
  assert(fs.mkdir(self.dir))
  self.widget = assert(widgets.create {
    name = "acme", domains = { "acme.example" }, mode = "managed",
  })
  self.secret = self.widget.secret
end

function TestSecret:tearDown()
  os.execute("rm -rf " .. self.dir)
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- The failure of a delivery, which must not count against this file's own exit status.
local function fails(kind, part, ok, err)
  lu.assertNil(ok)
  lu.assertEquals(err.kind, kind)
  lu.assertStrContains(tostring(err), part)
  err:forgive "expected"
  return err
end

local function raises(part, fn, ...)
  local ok, problem = pcall(fn, ...)
  lu.assertFalse(ok)
  lu.assertStrContains(problem, part)
  return problem
end

function TestSecret:testMasked()
  local s = self.secret
  lu.assertEquals(tostring(s), MASK)
  lu.assertEquals(("%s"):format(s), MASK)
  lu.assertEquals("key " .. s .. "!", "key [secret]!")
  lu.assertEquals(s .. s, MASK .. MASK)
  lu.assertEquals(s .. 1, "[secret]1")
  lu.assertEquals(cjson.encode { s }, '["[secret]"]')
  lu.assertStrContains(cjson.encode(self.widget), '"secret":"[secret]"')
  lu.assertEquals(type(s), "userdata")
end

function TestSecret:testTellsNothing()
  local s = self.secret
  raises("does not tell its length", function() return #s end)
  raises("concatenate a secret", function() return s .. {} end)
  raises("secret", function() return s < s end)
  raises("secret", function() return s + 1 end)
  raises("secret", function() s.write = print end)
  raises("secret", function() for _ in pairs(s) do error "a pair" end end)
  raises("secret", function() return ("x").rep(s, 2) end)
  raises("secret", function() io.stdout:write(s) end)
  raises("no literal form", function() return ("%q"):format(s) end)
  lu.assertFalse(getmetatable(s))
end

function TestSecret:testEqual()
  local again = assert(widgets.get(self.widget.sitekey)).secret
  local other = assert(widgets.create {
    name = "bolt", domains = { "bolt.example" }, mode = "managed",
  }).secret
  lu.assertFalse(rawequal(self.secret, again))
  lu.assertTrue(self.secret == again)
  lu.assertFalse(self.secret == other)
  lu.assertFalse(self.secret == MASK)
end

function TestSecret:testReveal()
  fails("refused", "--allow reveal", self.secret:reveal())
end

-- What a run with other permissions prints, and its exit status.
local function run_with(options, code)
  local exe = io.popen("readlink /proc/$PPID/exe"):read "l"
  local make = [[local w = assert(require "turnstile".widgets.create{
    name = "acme", domains = { "acme.example" }, mode = "managed" })]]
  local command = "'%s' --quiet --sandbox %s -e '%s %s' 2> /dev/null"
  local pipe = assert(io.popen(command:format(exe, options, make, code)))
  local output = pipe:read "a"
  local _, _, status = pipe:close()
  return output, status
end

function TestSecret.testRevealAllowed()
  local output, status = run_with("--allow reveal=1", [[
    print(w.secret:reveal()) print((w.secret:reveal()))]])
  lu.assertStrMatches(output, "0x4[%w_-]+\nnil\n")
  lu.assertEquals(status, 5)
  output, status = run_with("--allow reveal", [[print(#w.secret:reveal())]])
  lu.assertEquals(output, "35\n")
  lu.assertEquals(status, 0)
end

-- Failures that a script ignores show in the exit status.
function TestSecret.testIgnoredFailuresCount()
  for code, expected in pairs {
    [ [[w.secret:write("/proc/acme")]] ] = 4,
    [ [[w.secret:pipe{ "false" }]] ] = 4,
    [ [[w.secret:reveal()]] ] = 5,
    [ [[select(2, w.secret:pipe{ "false" }):forgive "known"]] ] = 0,
  } do
    lu.assertEquals(select(2, run_with("", code)), expected, code)
  end
end

function TestSecret:testWrite()
  local path = self.dir .. "/acme"
  lu.assertTrue(self.secret:write(path))
  lu.assertStrMatches(read(path), "0x4[%w_-]+")
  local err = fails("io", path .. ": is there already", self.secret:write(path))
  lu.assertStrMatches(err.place, ".*secret_test.lua:%d+")
  lu.assertTrue(self.secret:write(path, { replace = true }))
  fails("io", "make the directory", self.secret:write(self.dir .. "/none/acme"))
  fails("io", "a directory", self.secret:write(self.dir .. "/../" .. self.dir:match "[^/]+$"))
end

function TestSecret:testWriteMisuse()
  local s = self.secret
  raises("a path expected", s.write, s)
  raises("a path expected", s.write, s, {})
  raises("empty", s.write, s, "")
  raises("NUL", s.write, s, "a\0b")
  raises("replace", s.write, s, "x", { replace = 1 })
  raises("over", s.write, s, "x", { overwrite = true })
  raises("a secret expected", s.write, "x", "y")
end

function TestSecret:testPipe()
  local path = self.dir .. "/acme"
  lu.assertTrue(self.secret:pipe { "sh", "-c", 'cat > "$1"', "sh", path })
  lu.assertTrue(self.secret:write(path .. ".direct"))
  lu.assertEquals(read(path), read(path .. ".direct"))
end

function TestSecret:testPipeFailures()
  local s = self.secret
  fails("io", "no-such-command: command not found", s:pipe { "no-such-command" })
  fails("io", "false: exited with status 1", s:pipe { "false" })
  fails("io", "without reading the whole secret", s:pipe { "true" })
  fails("timeout", "killed", s:pipe { "tail", "-f", "/dev/null", timeout = 0.01 })
end

function TestSecret:testPipeMisuse()
  local s = self.secret
  raises("a table expected", s.pipe, s, "cat")
  raises("a command expected", s.pipe, s, {})
  raises("word 2", s.pipe, s, { "cat", 1 })
  raises("word 2", s.pipe, s, { "cat", "a\0b" })
  raises("cannot be an argument", s.pipe, s, { "vault", s })
  raises("timeout", s.pipe, s, { "cat", timeout = 0 })
  raises("timeout", s.pipe, s, { "cat", timeout = "1" })
  raises("timeout", s.pipe, s, { "cat", timeout = 0 / 0 })
  raises("timeout", s.pipe, s, { "cat", deadline = 1 })
end

-- Side by side: each waits for a file that another makes first.
function TestSecret:testPipesWaitTogether()
  local fifo = self.dir .. "/fifo"
  os.execute("mkfifo " .. fifo)
  local order = {}
  local reader = task.spawn(function()
    assert(self.secret:pipe { "sh", "-c", 'read line < "$1"; cat > /dev/null', "sh", fifo })
    order[#order + 1] = "reader"
  end)
  local writer = task.spawn(function()
    assert(self.secret:pipe { "sh", "-c", 'cat > /dev/null; echo x > "$1"', "sh", fifo })
    order[#order + 1] = "writer"
  end)
  reader:await()
  writer:await()
  table.sort(order)
  lu.assertEquals(order, { "reader", "writer" })
end

function TestSecret:testPipeInsideCoroutine()
  local results = {}
  for ok in coroutine.wrap(function()
    coroutine.yield((self.secret:pipe { "sh", "-c", "cat > /dev/null" }))
    coroutine.yield "end"
  end) do
    results[#results + 1] = ok
  end
  lu.assertEquals(results, { true, "end" })
end

-- Closed while a command reads it: the command still gets all of it.
function TestSecret:testCloseWhileReading()
  local path = self.dir .. "/fifo"
  os.execute("mkfifo " .. path)
  local out = self.dir .. "/out"
  local reader = task.spawn(function()
    return self.secret:pipe { "sh", "-c", 'read line < "$1"; cat > "$2"', "sh", path, out }
  end)
  task.sleep(0)
  do
    local closing <close> = self.secret
    lu.assertEquals(tostring(closing), MASK)
  end
  raises("was closed", self.secret.write, self.secret, out .. "2")
  os.execute("echo x > " .. path)
  lu.assertTrue(reader:await())
  lu.assertStrMatches(read(out), "0x4[%w_-]+")
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestSecret", TestSecret } })
