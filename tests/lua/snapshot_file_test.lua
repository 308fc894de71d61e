-- SPDX-License-Identifier: MIT
-- The text of a snapshot: the same for the same fleet, with all that is known of it but secrets.
local cjson = require "cjson"
local lu = require "luaunit"
local snapshot_file = require "snapshot_file"

local function widget(number, fields)
  local made = { sitekey = ("0x4AAAAAAAsnapshot%05d"):format(number), name = "w" .. number,
    domains = { "b.example", "a.example" }, mode = "managed" }
  for name, value in pairs(fields or {}) do
    made[name] = value
  end
  return made
end

local TestText = {}

function TestText.testOrderDoesNotMatter()
  local other = widget(2, { domains = { "a.example", "b.example" } })
  lu.assertEquals(snapshot_file.encode { widget(2), widget(1) },
    snapshot_file.encode { widget(1), other })
end

function TestText.testAWidgetIsALine()
  lu.assertEquals(snapshot_file.encode { widget(2, { region = "world" }), widget(1) }, [[
{"format":"tshost snapshot","version":1,"widgets":[
{"sitekey":"0x4AAAAAAAsnapshot00001","name":"w1","domains":["a.example","b.example"],"mode":"managed"},
{"sitekey":"0x4AAAAAAAsnapshot00002","name":"w2","domains":["a.example","b.example"],"mode":"managed","region":"world"}
]}
]])
end

function TestText.testNothingToDump()
  local text = snapshot_file.encode {}
  lu.assertEquals(text, '{"format":"tshost snapshot","version":1,"widgets":[\n]}\n')
  lu.assertEquals(snapshot_file.decode(text), {})
end

function TestText.testFieldsThatTheServiceAddsLater()
  local text = snapshot_file.encode { widget(1, { zone = { id = 7 }, asn = cjson.null, domains = {} }) }
  lu.assertStrContains(text, '"domains":[],"mode":"managed","asn":null,"zone":{"id":7}}')
end

function TestText.testSecretsAreLeftOut()
  lu.assertNotStrContains(snapshot_file.encode { widget(1, { secret = "0x4AAAAAAA-made-up" }) }, "secret")
end

function TestText.testThereAndBack()
  local text = snapshot_file.encode { widget(3, { name = 'quo"te\n€' }), widget(1) }
  lu.assertEquals(snapshot_file.encode(assert(snapshot_file.decode(text))), text)
end

function TestText.testWhatIsNoSnapshot()
  local function check(text, why)
    local widgets, problem = snapshot_file.decode(text)
    lu.assertNil(widgets)
    lu.assertStrContains(problem, why)
  end
  check("", "this is no JSON")
  check("[]", "this is no snapshot of tshost")
  check("7", "this is no snapshot of tshost")
  check('{"format":"tshost snapshot","version":1}', "this is no snapshot of tshost")
  check('{"format":"tshost snapshot","version":2,"widgets":[]}', "of version 2, and this tshost reads version 1")
  check('{"format":"tshost snapshot","version":1,"widgets":[{}]}', "widget 1 has no sitekey")
  for _, domains in ipairs { '"a.example"', "[1]", '["a.example",{}]', '{"a":"b.example"}', "null" } do
    check('{"format":"tshost snapshot","version":1,"widgets":[{"sitekey":"0x4A","name":"a","domains":'
      .. domains .. "}]}", "widget 1 has no sitekey, name or domains")
  end
  local twice = cjson.encode { format = "tshost snapshot", version = 1, widgets = { widget(1), widget(1) } }
  check(twice, "0x4AAAAAAAsnapshot00001 is there twice")
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestText", TestText } })
