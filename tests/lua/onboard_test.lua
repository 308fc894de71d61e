-- SPDX-License-Identifier: MIT
-- scripts/onboard.lua as a user runs it: this same binary, a sandbox that keeps its state in a
-- file, a CSV file, and what is printed, written and left behind.
local cjson = require "cjson"
local fs = require "fs"
local lu = require "luaunit"

local function shell(command)
  local pipe = assert(io.popen(command))
  local output = pipe:read "a"
  local _, _, status = pipe:close()
  return output, status
end

-- The parent of the shell is the binary that runs this file.
local TSHOST = shell("readlink /proc/$PPID/exe"):match "[^\n]+"

local TestOnboard = {}

function TestOnboard:setUp()
  self.dir = os.tmpname()
  os.remove(self.dir)
  assert(fs.mkdir(self.dir))
  self.csv = self.dir .. "/tenants.csv"
  self.secrets = self.dir .. "/secrets"
end

function TestOnboard:tearDown()
  os.execute("rm -rf " .. self.dir)
end

function TestOnboard:put(text)
  local file = assert(io.open(self.csv, "wb"))
  file:write(text)
  file:close()
end

function TestOnboard:tshost(arguments)
  local errors = self.dir .. "/stderr"
  local output, status = shell(("'%s' --quiet --sandbox='%s/state' %s 2>'%s'")
    :format(TSHOST, self.dir, arguments, errors))
  local file <close> = assert(io.open(errors, "rb"))
  return output, status, file:read "a"
end

-- Runs a line of Lua against the same sandbox; what it prints.
function TestOnboard:lua(code)
  local output, status, errors = self:tshost(("-e '%s'"):format(code))
  lu.assertEquals(status, 0, errors)
  return output
end

-- Onboards the text and gives the rows, the exit status and standard error.
function TestOnboard:onboard(text, options)
  self:put(text)
  local output, status, errors = self:tshost(("onboard.lua '%s' --secrets-dir '%s' %s")
    :format(self.csv, self.secrets, options or "--format json"))
  return options and output or cjson.decode(output), status, errors
end

-- What must not happen before the whole input is known to be good.
function TestOnboard:checkRefused(text, status, ...)
  self:put(text)
  local output, got, errors = self:tshost(("onboard.lua '%s' --secrets-dir '%s'")
    :format(self.csv, self.secrets))
  lu.assertEquals(output, "")
  for _, part in ipairs { ... } do
    lu.assertStrContains(errors, part)
  end
  lu.assertEquals(got, status, errors)
  lu.assertFalse(fs.exists(self.secrets))
  lu.assertEquals(self:count(), 0)
end

function TestOnboard:count()
  return tonumber(self:lua [[print(#require "turnstile".widgets.all{})]])
end

local function results(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row.result
  end
  return list
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local TWO = "name,domains,mode\nacme,acme.example www.acme.example,\n"
  .. "bolt,b.example;c.example,invisible\n"

function TestOnboard:testCreatesThenLeavesAlone()
  local rows, status, errors = self:onboard(TWO)
  lu.assertEquals(status, 0, errors)
  lu.assertEquals(results(rows), { "created", "created" })
  lu.assertEquals(rows[1].tenant, "acme")
  lu.assertEquals(rows[2].secret_file, self.secrets .. "/bolt")
  local modes = shell(("stat -c %%a '%s' '%s/acme'"):format(self.secrets, self.secrets))
  lu.assertEquals(modes, "700\n600\n")
  lu.assertEquals(self:lua [[for w in require "turnstile".widgets.list{ order = "name" } do
      print(w.name, w.mode, table.concat(w.domains, " ")) end]],
    "acme\tmanaged\tacme.example www.acme.example\nbolt\tinvisible\tb.example c.example\n")
  local secret = read(self.secrets .. "/acme")
  local again
  again, status = self:onboard(TWO)
  lu.assertEquals(status, 0)
  lu.assertEquals(results(again), { "unchanged", "unchanged" })
  lu.assertEquals(again[1].sitekey, rows[1].sitekey)
  lu.assertEquals(read(self.secrets .. "/acme"), secret)
  lu.assertEquals(self:count(), 2)
end

function TestOnboard:testAddsOnlyWhatIsMissing()
  self:onboard "name,domains,mode\nacme,old.example same.example,invisible\n"
  local rows = self:onboard "name,domains\nacme,New.Example. same.example\n"
  lu.assertEquals(results(rows), { "updated" })
  lu.assertEquals(self:lua [[local w = require "turnstile".widgets.all{}[1]
      print(w.mode, table.concat(w.domains, " "))]],
    "invisible\tnew.example old.example same.example\n")
  lu.assertEquals(results(self:onboard "name,domains\nacme,same.example\n"), { "unchanged" })
end

-- As after a crash between the creation and the file.
function TestOnboard:testHealsMissingSecret()
  self:onboard(TWO)
  local secret = read(self.secrets .. "/acme")
  os.remove(self.secrets .. "/acme")
  local rows, status = self:onboard(TWO)
  lu.assertEquals(status, 0)
  lu.assertEquals(results(rows), { "unchanged", "unchanged" })
  lu.assertEquals(read(self.secrets .. "/acme"), secret)
end

-- Killed wherever it happens to be once the first secret is written: nothing twice, nothing lost.
function TestOnboard:testKilledAndRunAgain()
  local lines = { "name,domains" }
  for i = 1, 300 do
    lines[i + 1] = ("t%d,t%d.example"):format(i, i)
  end
  local text = table.concat(lines, "\n")
  self:put(text)
  shell(([[exec 2> /dev/null
    '%s' --sandbox='%s/state' onboard.lua '%s' --secrets-dir '%s' > '%s/out' &
    until [ -n "$(ls '%s' 2> /dev/null)" ]; do kill -0 $! || exit; done; kill -KILL $!; wait $!]])
    :format(TSHOST, self.dir, self.csv, self.secrets, self.dir, self.secrets))
  local rows, status, errors = self:onboard(text)
  lu.assertEquals(status, 0, errors)
  lu.assertEquals(self:count(), 300)
  for _, row in ipairs(rows) do
    lu.assertStrMatches(read(row.secret_file), "0x4[%w_-]+")
  end
  lu.assertEquals(shell(("ls -A '%s' | wc -l"):format(self.secrets)), "300\n")
end

-- Its secret would never be looked at again.
function TestOnboard:testSecretOfAWidgetThatIsGone()
  assert(fs.mkdir(self.secrets))
  local file = assert(io.open(self.secrets .. "/acme", "wb"))
  file:write "old"
  file:close()
  local rows, status = self:onboard(TWO)
  lu.assertEquals(status, 3)
  lu.assertEquals(results(rows), { "failed", "created" })
  lu.assertStrContains(rows[1].reason, "move it away")
  lu.assertEquals(read(self.secrets .. "/acme"), "old")
  lu.assertEquals(self:count(), 1)
end

-- What stands in the secret's place and cannot be one is no secret that was delivered.
function TestOnboard:testWhatIsNoSecretFileIsNotTakenForOne()
  assert(fs.mkdir(self.secrets))
  assert(fs.mkdir(self.secrets .. "/acme"))
  assert(io.open(self.secrets .. "/bolt", "w")):close()
  local rows, status = self:onboard(TWO)
  lu.assertEquals(status, 3)
  lu.assertEquals(results(rows), { "failed", "failed" })
  lu.assertStrContains(rows[1].reason, "is a directory")
  lu.assertStrContains(rows[2].reason, "is an empty file")
  lu.assertEquals(self:count(), 0)
end

function TestOnboard:testDuplicatesAreReported()
  self:lua [[for _ = 1, 2 do assert(require "turnstile".widgets.create{
      name = "acme", domains = { "x.example" }, mode = "managed" }) end]]
  local rows, status = self:onboard(TWO)
  lu.assertEquals(status, 3)
  lu.assertEquals(results(rows), { "duplicate", "created" })
  local _, keys = rows[1].reason:gsub("0x4[%w_-]+", "")
  lu.assertEquals(keys, 2)
  lu.assertEquals(rows[1].sitekey, cjson.null)
  lu.assertFalse(fs.exists(self.secrets .. "/acme"))
end

function TestOnboard:testNamesThatAreNoFileNames()
  local long = ("Zürich "):rep(36)
  local names = { "../evil", "a/b", ".", "..", "-rf", "Acme", "acme", "ACME", "a b", "a\nb", "%41",
    "+acme", "Café", "日本", long .. "1", long .. "2", "'; rm -rf / #", ("x"):rep(254) }
  local lines = { "name,domains" }
  for i, name in ipairs(names) do
    lines[i + 1] = ('"%s",t%d.example'):format(name, i)
  end
  local rows, status, errors = self:onboard(table.concat(lines, "\n"))
  lu.assertEquals(status, 0, errors)
  local seen = {}
  for i, row in ipairs(rows) do
    lu.assertEquals(row.tenant, names[i])
    lu.assertEquals(row.result, "created", row.reason)
    local file = row.secret_file:sub(#self.secrets + 2)
    lu.assertStrMatches(file, "[a-z0-9_%%+~][a-z0-9._%%+~-]*")
    lu.assertNil(seen[file:lower()], file)
    seen[file:lower()] = true
    lu.assertStrMatches(read(row.secret_file), "0x4[%w_-]+")
  end
  lu.assertEquals(shell(("find '%s' -type f | wc -l"):format(self.secrets)), #names .. "\n")
end

function TestOnboard:testAllComplaintsBeforeTheFirstWrite()
  self:checkRefused(
    "name,domains,mode,offlabel\nacme,acme.example,,\n,x.example,,\nbolt,https://b.example,,\n"
      .. "acme,y.example,,\ncab,;,,\nduo,d.example,manged,\neel,e.example,,yes\n",
    1, self.csv .. ":3: ", ":4: ", ":5: the tenant of line 2 again", ":6: no domains", ":7: ",
    ":8: offlabel")
  self:checkRefused("name,domain\nacme,acme.example\n", 1, self.csv .. ":1: ")
  self:checkRefused('name,domains\nacme,acme.example\nbolt,"b.example\n', 1, self.csv .. ":3: ")
end

function TestOnboard:testUsage()
  for _, arguments in ipairs {
    "onboard.lua", "onboard.lua x.csv", "onboard.lua x.csv --secrets-dir d --mode managd",
    "onboard.lua x.csv --secrets-dir d --formt json",
    "onboard.lua x.csv --secrets-dir d --format xml",
  } do
    local output, status, errors = self:tshost(arguments)
    lu.assertEquals({ output, status }, { "", 2 }, errors)
    lu.assertStrMatches(errors, "tshost onboard.lua: [^\n]+\n")
  end
  local output, status = self:tshost "onboard.lua --help"
  lu.assertEquals(status, 0)
  lu.assertStrContains(output, "--secrets-dir")
  self:put(TWO)
  output, status = self:tshost(("onboard.lua '%s' --secrets-dir /nowhere/secrets"):format(self.csv))
  lu.assertEquals({ output, status }, { "", 2 })
  lu.assertEquals(self:count(), 0)
end

function TestOnboard:testFormats()
  local text = self:onboard(
    'name,domains\n"Acme, Inc",acme.example\nCafé,c.example\n', "--format table")
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  lu.assertStrMatches(lines[1], "tenant     sitekey +result   secret file")
  lu.assertStrMatches(lines[2], "Acme, Inc  0x4[%w_-]+  created  .*/%+acme%%2c%%20%+inc")
  lu.assertStrMatches(lines[3], "Café       0x4[%w_-]+  created  .*/%+caf%%c3%%a9")
  local rows = {}
  text = self:onboard('name,domains\n"Acme, Inc",acme.example\n', "--format csv")
  self:put(text)
  for row in require("csv").open(self.csv) do
    rows[#rows + 1] = row
  end
  lu.assertEquals(rows[1].tenant, "Acme, Inc")
  lu.assertEquals(rows[1].result, "unchanged")
  lu.assertEquals(self:onboard "name,domains\n", {})
end

-- Names and reasons may hold anything; a terminal must not be driven by them.
function TestOnboard:testTableIsSafeToShow()
  local text = self:onboard('name,domains\n"a\27[2Jb\nc\u{202e}d",acme.example\n', "--format table")
  lu.assertStrContains(text, "a?[2Jb?c?d")
end

-- The secrets go nowhere but into their files.
function TestOnboard:testSecretsStayInTheirFiles()
  for _, options in ipairs { "--format table", "--format json", "--format csv" } do
    local output, _, errors = self:onboard(TWO, options)
    local secret = read(self.secrets .. "/acme")
    lu.assertNotStrContains(output .. errors, secret)
  end
end

-- The widget is there, its secret cannot be delivered, the rest goes on.
function TestOnboard:testFailedSecretCounts()
  self:onboard(TWO)
  os.remove(self.secrets .. "/acme")
  os.execute(("ln -s nowhere '%s/acme'"):format(self.secrets))
  local rows, status = self:onboard(TWO)
  lu.assertEquals(results(rows), { "failed", "unchanged" })
  lu.assertStrContains(rows[1].reason, "symbolic link")
  lu.assertEquals(rows[1].secret_file, cjson.null)
  lu.assertEquals(status, 4)
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestOnboard", TestOnboard } })
