-- SPDX-License-Identifier: MIT
-- Which widgets a script works on: patterns, files of sitekeys, and options that make no sense.
local glob = require "glob"
local lu = require "luaunit"
local selection = require "selection"
local sitekey_file = require "sitekey_file"

local function put(text)
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
  return path
end

local TestGlob = {}

local function check(pattern, fitting, others)
  local fits = glob.compile(pattern)
  for _, text in ipairs(fitting) do
    lu.assertTrue(fits(text), pattern .. " " .. text)
  end
  for _, text in ipairs(others) do
    lu.assertFalse(fits(text), pattern .. " " .. text)
  end
end

function TestGlob.testPatterns()
  check("acme-*", { "acme-", "acme-1", "acme-*" }, { "acme", "Acme-1", "x acme-1", "" })
  check("*", { "", "a", "a b\nc" }, {})
  check("", { "" }, { "a" })
  check("a?c", { "abc", "a?c", "aéc" }, { "ac", "abbc" })
  check("*-*-b", { "a-b-b", "--b" }, { "a-b", "a-b-bc" })
  check("[a-cx]1", { "a1", "c1", "x1" }, { "d1", "-1", "1" })
  check("[!a-c]1", { "d1", "é1" }, { "a1", "1" })
  check("[]x]", { "]", "x" }, { "[", "" })
  check("[a-]", { "a", "-" }, { "b" })
  check("[ab", { "[ab" }, { "a" })
  check([[a\*b\\]], { [[a*b\]] }, { [[axb\]] })
  check("Caf[éè]*", { "Café 1", "Cafè" }, { "Cafe" })
  check("50%.-*", { "50%.-x" }, { "50xx" })
  check("\xff*", { "\xff1" }, { "1" })
end

-- Would take longer than the test may with a matcher that backtracks through every star.
function TestGlob.testManyStars()
  check(("a*"):rep(40) .. "b", { ("a"):rep(254) .. "b" }, { ("a"):rep(254) })
end

local TestSitekeyFile = {}

function TestSitekeyFile.testReads()
  local path = put "\u{FEFF}0x4AAA\r\n\n# all of acme\n  0x4BBB  # login\n0x4AAA\n0x4CCC"
  local sitekeys, complaints = sitekey_file.read(path)
  os.remove(path)
  lu.assertEquals(complaints, {})
  lu.assertEquals(sitekeys, { "0x4AAA", "0x4BBB", "0x4CCC" })
end

function TestSitekeyFile.testComplaints()
  local path = put("0x4AAA\nacme login\n0x4B,BBB\n" .. ("x"):rep(33) .. "\n0x4CCC\n")
  local _, complaints = sitekey_file.read(path)
  os.remove(path)
  lu.assertEquals(#complaints, 3)
  lu.assertEquals(complaints[1], path .. ':2: "acme login" is no sitekey')
  lu.assertStrContains(complaints[3], path .. ":4: ")
  path = put "# nothing yet\n"
  _, complaints = sitekey_file.read(path)
  os.remove(path)
  lu.assertEquals(complaints, { path .. ": no sitekeys in it" })
  lu.assertErrorMsgContains("nowhere", sitekey_file.read, "/nowhere")
end

local TestSelection = {}

local FLEET = {
  { sitekey = "0x4A", name = "acme-1", domains = { "a.example", "shared.example" } },
  { sitekey = "0x4B", name = "acme-2", domains = { "b.example" } },
  { sitekey = "0x4C", name = "bolt", domains = { "Shared.example." } },
  { sitekey = "0x4D", name = "open", domains = {} },
}

local function take(args)
  local chosen, problem, complaints = selection.read(args)
  lu.assertNil(problem)
  lu.assertEquals(complaints, {})
  local taken = {}
  for _, widget in ipairs(FLEET) do
    if chosen:takes(widget) then
      taken[#taken + 1] = widget.sitekey
    end
  end
  return table.concat(taken, " "), chosen
end

function TestSelection.testEachAndAll()
  lu.assertEquals(take { all = true }, "0x4A 0x4B 0x4C 0x4D")
  lu.assertEquals(take { name = "acme-*" }, "0x4A 0x4B")
  lu.assertEquals(take { has_domain = "SHARED.example" }, "0x4A 0x4C")
  lu.assertEquals(take { has_domain = "shared.example", name = "*-1" }, "0x4A")
end

function TestSelection.testFileOfSitekeys()
  local path = put "0x4C\n0x4GONE\n0x4A\n0x4B\n"
  local taken, chosen = take { sitekeys = path, has_domain = "shared.example" }
  os.remove(path)
  lu.assertEquals(taken, "0x4A 0x4C")
  lu.assertEquals(chosen:missing(), { "0x4GONE" }) -- 0x4B is there, it only does not fit
  lu.assertTrue(chosen.is_named)
end

function TestSelection.testWhatMakesNoSense()
  for _, args in ipairs {
    {}, { all = true, name = "*" }, { all = true, sitekeys = "-" }, { has_domain = "*.example" },
  } do
    local chosen, problem = selection.read(args)
    lu.assertNil(chosen)
    lu.assertStrMatches(problem, "[^\n]+")
  end
end

os.exit(lu.LuaUnit.new():runSuiteByInstances {
  { "TestGlob", TestGlob },
  { "TestSitekeyFile", TestSitekeyFile },
  { "TestSelection", TestSelection },
})
