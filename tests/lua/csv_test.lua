-- SPDX-License-Identifier: MIT
-- Module csv: what is read, what is complained about and where, and that lines read back.
local csv = require "csv"
local lu = require "luaunit"

local TestCsv = {}

function TestCsv:setUp()
  self.path = os.tmpname()
end

function TestCsv:tearDown()
  os.remove(self.path)
end

function TestCsv:put(text)
  local file = assert(io.open(self.path, "wb"))
  file:write(text)
  file:close()
end

-- All rows with their lines.
function TestCsv:read(text, options)
  self:put(text)
  local rows, lines = {}, {}
  for row, line in csv.open(self.path, options) do
    rows[#rows + 1], lines[#lines + 1] = row, line
  end
  return rows, lines
end

function TestCsv:complaint(text, options)
  local ok, problem = pcall(self.read, self, text, options)
  lu.assertFalse(ok)
  local line, reason = problem:match("^" .. self.path:gsub("%p", "%%%0") .. ":(%d+): (.+)$")
  lu.assertNotNil(line, problem)
  return tonumber(line), reason
end

function TestCsv:testRows()
  local rows, lines = self:read "name,domains\nacme,a.example\nbolt,\n"
  lu.assertEquals(rows[1], { name = "acme", domains = "a.example" })
  lu.assertEquals(rows[2], { name = "bolt", domains = "" })
  lu.assertEquals(#rows, 2)
  lu.assertEquals(lines, { 2, 3 })
end

function TestCsv:testSpreadsheetOutput()
  local rows, lines = self:read("\xef\xbb\xbfname,domains\r\n\r\nacme, a.example \r\n  \r\n"
    .. "bolt,b.example")
  lu.assertEquals(rows[1], { name = "acme", domains = "a.example" })
  lu.assertEquals(rows[2], { name = "bolt", domains = "b.example" })
  lu.assertEquals(lines, { 3, 5 })
  rows = self:read "a,b\r1,2\r3,4\r"
  lu.assertEquals(rows, { { a = "1", b = "2" }, { a = "3", b = "4" } })
end

function TestCsv:testQuotes()
  local rows, lines = self:read 'a,b\n"x,\r\ny"," say ""hi"" "\n"",z\n'
  lu.assertEquals(rows[1], { a = "x,\r\ny", b = ' say "hi" ' })
  lu.assertEquals(rows[2], { a = "", b = "z" })
  lu.assertEquals(lines, { 2, 4 })
  lines = select(2, self:read 'a\n"x\r"\ny\n"\n"\nz\n')
  lu.assertEquals(lines, { 2, 4, 5, 7 })
end

function TestCsv:testNoHeaderAndDelimiter()
  local rows = self:read("1;2\n3\n", { header = false, delimiter = ";" })
  lu.assertEquals(rows, { { "1", "2" }, { "3" } })
  lu.assertEquals(self:read("a\tb\n\t2\n", { delimiter = "\t" }), { { a = "", b = "2" } })
  lu.assertEquals(self:read("", { header = false }), {})
  lu.assertEquals(self:read "a,b\n", {})
end

function TestCsv:testComplaints()
  local header = { required = { "name" }, known = { "domains" } }
  local cases = {
    { "a,b\n1\n", 2, "1 field, but the header has 2" },
    { "a,b\n\n1,2,3\n", 3, "3 fields, but the header has 2" },
    { 'a,b\n"1\n2",3\n4\n', 4, "1 field" },
    { "a,a\n", 1, "earlier one" },
    { "a,,c\n", 1, "column 2 has no name" },
    { "", 1, "empty" },
    { "naem\n", 1, 'no column "name" (did you mean `naem`?)', header },
    { "name;domains\n", 1, "separated by ; where , is expected", header },
    { "name,domian\n", 1, 'unknown column "domian"', header },
    { 'a,b\n1,x"y\n', 2, "stray quote" },
    { 'a,b\n"x"y,1\n', 2, "stray quote" },
    { 'a,b\n1,2\n"x,1\nfoo\n', 3, "never closed" },
    { "a,b\n1,\xff\n", 2, "UTF-8" },
    { "a,b\n1,\xed\xa0\x80\n", 2, "UTF-8" },
    { "a,b\n1,\xc0\xaf\n", 2, "UTF-8" },
    { "a,b\n1,\0\n", 2, "NUL" },
    { "\xff\xfea\0", 1, "UTF-16" },
    { "a\n" .. ("x"):rep(65537) .. "\n", 2, "64 KiB" },
    { 'a\n"' .. ("x\n"):rep(600000) .. '"\n', 2, "1 MiB" },
    { "a\n" .. ("x,"):rep(256) .. "\n", 2, "256 fields" },
  }
  for _, case in ipairs(cases) do
    local line, reason = self:complaint(case[1], case[4])
    lu.assertStrContains(reason, case[3])
    lu.assertEquals(line, case[2], reason)
  end
end

function TestCsv.testUnreadable()
  local problem = select(2, pcall(csv.open, "/nowhere/tenants.csv"))
  lu.assertStrMatches(problem, ".*csv_test.lua:%d+: /nowhere/tenants.csv: cannot open: .+")
  problem = select(2, pcall(csv.open, "/"))
  lu.assertStrContains(problem, "/:1: cannot read: Is a directory")
end

function TestCsv:testMisuse()
  for _, call in ipairs {
    function() csv.open() end,
    function() csv.open "a\0b" end,
    function() csv.open(self.path, { headers = true }) end,
    function() csv.open(self.path, { header = "yes" }) end,
    function() csv.open(self.path, { delimiter = ";;" }) end,
    function() csv.open(self.path, { delimiter = '"' }) end,
    function() csv.open(self.path, { required = "name" }) end,
    function() csv.open(self.path, { known = { 1 } }) end,
    function() csv.encode() end,
    function() csv.encode {} end,
    function() csv.encode { {} } end,
  } do
    self:put "name\n"
    local ok, problem = pcall(call)
    lu.assertFalse(ok)
    lu.assertStrContains(problem, "csv_test.lua:")
  end
end

-- The loop's closing value closes the file, when the loop is left early too.
function TestCsv:testCloses()
  self:put "a\n1\n2\n"
  local next_row, reader, start, closing = csv.open(self.path)
  for row in next_row, reader, start, closing do
    if row.a == "1" then
      break
    end
  end
  local ok, problem = pcall(next_row, reader)
  lu.assertFalse(ok)
  lu.assertStrContains(problem, "closed")
end

function TestCsv.testEncode()
  lu.assertEquals(csv.encode { "a", 1, 1.5, true, "" }, "a,1,1.5,true,")
  lu.assertEquals(csv.encode { 'say "hi"', "a,b", "a\nb" }, '"say ""hi""","a,b","a\nb"')
  lu.assertEquals(csv.encode { " a", "a " }, '" a","a "')
  lu.assertEquals(csv.encode { "" }, '""')
end

function TestCsv:testReadsBackWhatWasEncoded()
  local fields = { "", " x ", 'a"b', "c,d", "e\r\nf", "Café", "\t", "'", ";" }
  local rows = self:read(csv.encode(fields) .. "\n", { header = false })
  lu.assertEquals(rows, { fields })
end

function TestCsv:testMemoryIsFlat()
  local file = assert(io.open(self.path, "wb"))
  file:write "name,domains\n"
  for i = 1, 200000 do
    file:write("tenant-", i, ",a", i, ".example\n")
  end
  file:close()
  collectgarbage()
  local count, peak = 0, 0
  local before = collectgarbage "count"
  for _ in csv.open(self.path) do
    count = count + 1
    peak = math.max(peak, collectgarbage "count")
  end
  lu.assertEquals(count, 200000)
  lu.assertTrue(peak - before < 4096, ("%.0f KiB"):format(peak - before))
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestCsv", TestCsv } })
