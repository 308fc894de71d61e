-- SPDX-License-Identifier: MIT
-- `require "cjson"`: lua-cjson, with what widgets need: lists stay lists, integers stay integers,
-- secrets stay masked, and its guards cannot be raised.
local cjson = require "cjson"
local lu = require "luaunit"
local turnstile = require "turnstile"

local TestJson = {}

local function raises(part, fn, ...)
  local ok, problem = pcall(fn, ...)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(problem), part)
end

function TestJson.testIntegersStayIntegers()
  for _, n in ipairs { 0, 1, -1, 1000, 99999999999999, 100000000000000, 123456789012345,
    1 << 53, -(1 << 53) } do
    local text = cjson.encode { n }
    lu.assertEquals(text, ("[%d]"):format(n))
    local back = cjson.decode(text)[1]
    lu.assertEquals(math.type(back), "integer", text)
    lu.assertEquals(back, n)
  end
  lu.assertEquals(cjson.encode { math.maxinteger, math.mininteger },
    "[9223372036854775807,-9223372036854775808]")
  lu.assertEquals(math.type(cjson.decode "[1.5]"[1]), "float")
  lu.assertEquals(math.type(cjson.decode '{"a":{"b":[1000]}}'.a.b[1]), "integer")
  lu.assertEquals(math.type(cjson.decode "7"), "integer")
end

function TestJson.testEmptyDomains()
  lu.assertEquals(cjson.encode { domains = {} }, '{"domains":[]}')
  lu.assertEquals(cjson.encode { { domains = {} }, { domains = { "a.example" } } },
    '[{"domains":[]},{"domains":["a.example"]}]')
  lu.assertEquals(cjson.encode {}, "{}")
  local open = turnstile.widgets.create { name = "open", domains = {}, mode = "managed" }
  lu.assertEquals(cjson.decode(cjson.encode(open)).domains, {})
  lu.assertStrContains(cjson.encode(open), '"domains":[]')
end

function TestJson.testWidget()
  local w = assert(turnstile.widgets.create {
    name = "\u{e9} \"quoted\" / \\ \n", domains = { "a.example" }, mode = "managed",
  })
  local back = cjson.decode(cjson.encode(w))
  lu.assertEquals(back.name, w.name)
  lu.assertEquals(back.domains, w.domains)
  lu.assertEquals(back.secret, "[secret]")
  lu.assertEquals(tostring(w.secret), "[secret]") -- the widget keeps its handle
  lu.assertEquals(cjson.decode(cjson.encode { list = { w, w } }).list[2].sitekey, w.sitekey)
end

function TestJson.testNull()
  lu.assertEquals(cjson.encode { cjson.null }, "[null]")
  lu.assertIs(cjson.decode '{"a":null}'.a, cjson.null)
end

function TestJson.testTextIsNotTouched()
  for _, text in ipairs { "[]", "\"[]\"", "tshost-mark-", "{\"domains\":{}}", "a\\u0000b", "\u{7f}" } do
    lu.assertEquals(cjson.decode(cjson.encode { text })[1], text)
  end
end

function TestJson.testBadInput()
  raises("", cjson.decode, "{")
  raises("", cjson.decode, "")
  raises("", cjson.decode, "[1,]")
  raises("", cjson.decode, "NaN")
  raises("", cjson.decode, "[Infinity]")
  raises("a string expected, got table", cjson.decode, {})
  raises("", cjson.decode, ("["):rep(2000) .. ("]"):rep(2000))
  raises("", cjson.encode, { print })
  raises("", cjson.encode, { 0 / 0 })
  raises("", cjson.encode)
  local loop = {}
  loop[1] = loop
  raises("nested deeper", cjson.encode, loop)
end

function TestJson.testGuardsCannotBeRaised()
  lu.assertNil(rawget(cjson, "decode_max_depth"))
  lu.assertNil(rawget(cjson, "encode_max_depth"))
  lu.assertNil(rawget(cjson, "new"))
end

-- A script that replaces functions of the standard library does not change how answers are read.
function TestJson.testAnswersDoNotDependOnTheScript()
  local len = utf8.len
  utf8.len = function() error "replaced" end -- luacheck: ignore
  local w, err = turnstile.widgets.create { name = "x", domains = { "a.example" }, mode = "managed" }
  utf8.len = len -- luacheck: ignore
  lu.assertNil(err)
  lu.assertEquals(w.name, "x")
end

-- Beyond what lua-cjson can count it would crash, or end the process.
function TestJson.testTooLarge()
  local mebibyte = ("x"):rep(1 << 20)
  local list = {}
  for i = 1, 129 do
    list[i] = mebibyte
  end
  raises("cjson.encode: the value is larger than 128 MiB", cjson.encode, list)
  raises("larger than 128 MiB", cjson.encode, { [mebibyte:rep(129)] = true })
  local twice = {}
  for _ = 1, 60 do
    twice = { twice, twice } -- 2^60 values
  end
  raises("larger than 128 MiB", cjson.encode, twice)
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestJson", TestJson } })
