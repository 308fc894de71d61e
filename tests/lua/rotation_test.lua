-- SPDX-License-Identifier: MIT
-- What rotate.lua is made of: times, commands taken apart without a shell, places for secrets.
local command_line = require "command_line"
local delivery = require "delivery"
local lu = require "luaunit"
local timestamp = require "timestamp"

local TestTimestamp = {}

function TestTimestamp.testParses()
  lu.assertEquals(timestamp.parse "1970-01-01T00:00:00Z", 0)
  lu.assertEquals(timestamp.parse "2026-01-02T03:04:05.94052Z", 1767323045)
  lu.assertEquals(timestamp.parse "2024-02-29T23:59:59.9Z", 1709251199)
  lu.assertEquals(timestamp.parse "2000-03-01T00:00:00Z", 951868800)
  for _, text in ipairs { "", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04:05+01:00", "soon" } do
    lu.assertNil(timestamp.parse(text))
  end
end

function TestTimestamp.testFormatsWhatItParses()
  for day = 0, 40000, 7 do
    local time = day * 86400 + day * 12345 % 86400
    lu.assertEquals(timestamp.parse(timestamp.format(time)), time)
  end
end

local TestCommandLine = {}

function TestCommandLine.testSplits()
  for text, words in pairs {
    ["vault kv put kv/{name} secret=-"] = { "vault", "kv", "put", "kv/{name}", "secret=-" },
    ["  a\tb  "] = { "a", "b" },
    ["sh -c 'cat > \"$1\" | x' '' a\\ b"] = { "sh", "-c", 'cat > "$1" | x', "", "a b" },
    ['a"b c"d "\'"'] = { "ab cd", "'" },
    ["a\\|b \\'"] = { "a|b", "'" },
  } do
    lu.assertEquals(command_line.split(text), words, text)
  end
end

function TestCommandLine.testRefuses()
  for _, text in ipairs { "", "  ", "''", "a 'b", 'a "b', "a | b", "a > b", "a; b", "a $HOME", "`a`", "(a)" } do
    local words, problem = command_line.split(text)
    lu.assertNil(words, text)
    lu.assertStrMatches(problem, "[^\n]+")
  end
end

function TestCommandLine.testFills()
  local words = { "put", "kv/{name}", "{sitekey}={name}", "{}", "{1}", "{other}" }
  lu.assertEquals(command_line.fields(words), { name = true, sitekey = true, other = true })
  lu.assertEquals(command_line.fill(words, { name = "a %1 {sitekey}", sitekey = "0x4" }),
    { "put", "kv/a %1 {sitekey}", "0x4=a %1 {sitekey}", "{}", "{1}", "{other}" })
end

function TestCommandLine.testFindsPrograms()
  lu.assertTrue(command_line.is_there "sh")
  lu.assertTrue(command_line.is_there "/bin/sh")
  lu.assertFalse(command_line.is_there "no-such-program-anywhere")
  lu.assertFalse(command_line.is_there "./sh")
end

local TestDelivery = {}

function TestDelivery.testPlaces()
  local widget = { sitekey = "0x4AAA", name = "../Bolt 1" }
  for _, case in ipairs {
    { { secrets_dir = "out//", files_by = "name" }, "out/%2e.%2f+bolt%201" },
    { { secrets_dir = "/", files_by = "sitekey" }, "/0x4AAA" },
    { { command = "cat kv/{name} {sitekey}" }, "cat kv/%2e.%2f+bolt%201 0x4AAA" },
  } do
    local target = assert(delivery.read(case[1]))
    target:see(widget)
    lu.assertEquals(target:place(widget), case[2])
  end
end

os.exit(lu.LuaUnit.new():runSuiteByInstances {
  { "TestTimestamp", TestTimestamp },
  { "TestCommandLine", TestCommandLine },
  { "TestDelivery", TestDelivery },
})
