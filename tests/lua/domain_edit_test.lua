-- SPDX-License-Identifier: MIT
-- Edits of domains: what they make of a set, and what is wrong with them, from the command line's
-- words and from a CSV file.
local domain_edit = require "domain_edit"
local edit_file = require "edit_file"
local lu = require "luaunit"

local function read(add, remove, replace)
  local problems = {}
  local edit = domain_edit.read({ add = add, remove = remove, replace = replace },
    function(problem) problems[#problems + 1] = problem end)
  return edit, problems
end

local TestDomainEdit = {}

local function check(words, domains, added, removed)
  local edit, problems = read(words[1], words[2], words[3])
  lu.assertEquals(problems, {})
  local change = edit:apply(domains)
  lu.assertEquals(table.concat(change.added, " "), added)
  lu.assertEquals(table.concat(change.removed, " "), removed)
end

function TestDomainEdit.testApplies()
  local ab = { "a.example", "b.example" }
  check({ { "C.example." }, {}, {} }, ab, "c.example", "")
  check({ { "a.example" }, { "x.example" }, {} }, ab, "", "")
  check({ {}, { "B.example" }, {} }, ab, "", "b.example")
  check({ {}, {}, { "a.example=n.example" } }, ab, "n.example", "a.example")
  check({ {}, {}, { "x.example=n.example" } }, ab, "", "")
  -- What a widget has already, in whatever spelling, is not added again.
  check({ { "a.example" }, {}, {} }, { "A.Example." }, "", "")
  check({ {}, {}, { "a.example=b.example" } }, ab, "", "a.example")
  -- All parts look at the domains as they are.
  check({ {}, {}, { "a.example=b.example", "b.example=c.example" } }, ab, "c.example",
    "a.example")
  check({ {}, {}, { "a.example=b.example", "b.example=a.example" } }, ab, "", "")
  check({ { "n.example" }, { "a.example" }, { "a.example=n.example" } }, ab, "n.example",
    "a.example")
end

function TestDomainEdit.testAppliesToWhatItMadeChangesNothing()
  local edit = read({ "n.example" }, { "b.example" }, { "a.example=c.example" })
  local once = edit:apply { "a.example", "b.example" }
  local twice = edit:apply(once.after)
  lu.assertEquals({ #twice.added, #twice.removed }, { 0, 0 })
  lu.assertEquals(twice.before, { "c.example", "n.example" })
end

function TestDomainEdit.testComplaints()
  local a, b, c = "a.example", "b.example", "c.example"
  for _, words in ipairs {
    { {}, {}, {} },
    { { "https://a.example" }, {}, {} },
    { {}, { "*.a.example" }, {} },
    { {}, {}, { a } }, { {}, {}, { a .. "=" } }, { {}, {}, { "=" .. a } },
    { {}, {}, { "a.example=b.example=c.example" } },
    { {}, {}, { "a.example=b.example:443" } },
    { {}, {}, { "a.example=A.example." } },
    { {}, {}, { "a.example=b.example", "a.example=c.example" } },
    { { a }, { "A.example" }, {} },
    { { a }, {}, { a .. "=" .. b } },
    { {}, { c }, { a .. "=" .. c } },
  } do
    local _, problems = read(words[1], words[2], words[3])
    lu.assertEquals(#problems, 1, table.concat(problems, "; "))
  end
end

local TestEditFile = {}

function TestEditFile:setUp()
  self.path = os.tmpname()
end

function TestEditFile:tearDown()
  os.remove(self.path)
end

function TestEditFile:read(text)
  local file <close> = assert(io.open(self.path, "wb"))
  file:write(text)
  file:close()
  return edit_file.read(self.path)
end

function TestEditFile:testReadsAndFinds()
  local entries, complaints = self:read("sitekey,name,add,remove,replace\n"
    .. "0x4A,,n.example;m.example,,\n,bolt,,b.example,\n0x4C,cab,,,c.example=d.example x.example=y.example\n"
    .. "0x4D,duo,z.example,,\n,eel,z.example,,\n0x4E,,z.example,,\n")
  lu.assertEquals(complaints, {})
  local find = edit_file.finder(entries)
  for sitekey, name in pairs { ["0x4A"] = "acme", ["0x4B"] = "bolt", ["0x4C"] = "cab", ["0x4b"] = "bolt",
    ["0x4D"] = "not duo", ["0x4E"] = "eel", ["0x4Z"] = "zoo" } do
    local entry = find { sitekey = sitekey, name = name }
    lu.assertEquals(entry == nil, sitekey == "0x4Z")
  end
  local counts = {}
  for i, entry in ipairs(entries) do
    counts[i] = #entry.found
  end
  lu.assertEquals(counts, { 1, 2, 1, 1, 0, 1 })
  lu.assertNil(entries[3].problem)
  lu.assertEquals(entries[4].problem, 'its name is "not duo", not "duo"')
  lu.assertEquals(entries[5].problem, self.path .. ":7 means the same widget")
  lu.assertEquals(entries[1].edit:apply({ "a.example" }).added, { "m.example", "n.example" })
  lu.assertEquals(entries[3].edit:apply({ "c.example" }).after, { "d.example" })
end

function TestEditFile:testComplaintsNameFileAndLine()
  local _, complaints = self:read("sitekey,name,add,remove\n0x4A,,,\n,,a.example,\n0x4A,,b.example,\n"
    .. "0x4 B,,b.example,\n,bolt,a.example,a.example\n,bolt,https://a.example,\n0x4F,,f.example,\n")
  local text = table.concat(complaints, "\n")
  for _, part in ipairs {
    ":2: nothing to add, remove or replace", ":3: no sitekey and no name", ":4: the widget of line 2 again",
    ':5: "0x4 B" is no sitekey', ":6: a.example is both added and removed",
    ":7: the widget of line 6 again", ':7: domain "https://a.example"',
  } do
    lu.assertStrContains(text, self.path .. part)
  end
  lu.assertEquals(#complaints, 7, text)
  lu.assertErrorMsgContains(":1: ", self.read, self, "sitekey,ad\n0x4A,a.example\n")
  _, complaints = self:read "add\na.example\n"
  lu.assertEquals(complaints, { self.path .. ":2: no sitekey and no name: which widget?" })
end

os.exit(lu.LuaUnit.new():runSuiteByInstances {
  { "TestDomainEdit", TestDomainEdit },
  { "TestEditFile", TestEditFile },
})
