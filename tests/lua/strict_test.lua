-- SPDX-License-Identifier: MIT
-- Globals are declared, modules are found where they should be, and nowhere else.
local lu = require "luaunit"

local TestStrict = {}

local function raises(part, fn, ...)
  local ok, problem = pcall(fn, ...)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(problem), part)
  return problem
end

-- luacheck: push ignore
function TestStrict.testGlobals()
  local problem = raises("undeclared global `misspelt`", function() return misspelt end)
  lu.assertStrMatches(problem, ".*strict_test%.lua:%d+: .*")
  raises("undeclared global `created`: write `local created = ...`", function() created = 1 end)
  raises("undeclared global `pritn`", function() pritn "x" end)
  raises("undeclared global `loaded`", load "loaded = 1")
  lu.assertNil(rawget(_G, "created"))
  rawset(_G, "declared", 1)
  declared = declared + 1
  lu.assertEquals(declared, 2)
  rawset(_G, "declared", nil)
  lu.assertFalse(getmetatable(_G))
  raises("protected metatable", setmetatable, _G, nil)
  local own = setmetatable({}, { __index = _G })
  raises("undeclared global `nothing`", function() return own.nothing end)
end
-- luacheck: pop

function TestStrict.testStandardLibraryIsThere()
  for _, name in ipairs { "assert", "coroutine", "debug", "io", "load", "math", "os", "package",
    "pcall", "print", "require", "string", "table", "utf8", "xpcall", "arg", "_VERSION" } do
    lu.assertNotNil(_G[name], name)
  end
end

function TestStrict.testBesideTheScript()
  local beside = require "beside"
  lu.assertEquals(beside.name, "beside")
  lu.assertStrContains(beside.file, "beside/init.lua")
  lu.assertIs(require "beside", beside)
  raises("undeclared global `no_such_global`", require "beside.misspelt")
end

function TestStrict.testDistributionModulesAreNotStrict()
  -- luaunit itself asks for globals that are not there; argparse is another user of the path.
  lu.assertNotNil(require "argparse")
  lu.assertStrMatches(package.searchpath("luaunit", package.path), "/.*")
end

function TestStrict.testEmbedded()
  lu.assertEquals(type(require("task").each), "function")
  lu.assertNil(package.searchpath("task", package.path))
end

function TestStrict.testNeverTheWorkingDirectory()
  local pwd = assert(os.getenv "PWD")
  local name = ("in_cwd_%d"):format(os.time())
  for template in (package.path .. ";" .. package.cpath):gmatch "[^;]+" do
    lu.assertEquals(template:sub(1, 1), "/", template)
    lu.assertNil(template:find(pwd .. "/?", 1, true), template)
  end
  local problem = raises("module '" .. name .. "' not found", require, name)
  lu.assertNil(problem:find("'./", 1, true), problem)
end

function TestStrict.testMissingModule()
  local problem = raises("module 'no.such.module' not found", require, "no.such.module")
  lu.assertStrContains(problem, "no embedded module 'no.such.module'")
  lu.assertStrContains(problem, "/no/such/module.lua")
end

function TestStrict.testModulesAreSealed()
  for _, name in ipairs { "task", "turnstile" } do
    local module = require(name)
    raises(name .. " cannot be changed", function() module.added = 1 end)
    raises(name .. " has no `nothing_like_it`", function() return module.nothing_like_it end)
  end
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestStrict", TestStrict } })
