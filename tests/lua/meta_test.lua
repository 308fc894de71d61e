-- SPDX-License-Identifier: MIT
-- The stubs in docs/meta declare what the modules really have, and the modules have nothing else.
local lu = require "luaunit"
local task = require "task"
local turnstile = require "turnstile"

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local META = here .. "/../../docs/meta/"
local STUBS = { "cjson", "csv", "fs", "human", "limits", "log", "secret", "task", "turnstile" }

local FIELDS = { name = "stub", domains = { "stub.example" }, mode = "managed" }

local function read(name)
  local file <close> = assert(io.open(META .. name .. ".lua"))
  return file:read "a"
end

-- The classes of a stub by name: the functions and the fields that each declares, and for each
-- field whether it may be absent.
local function parse(text)
  local classes, class, classes_by_variable = {}, nil, {}
  for line in text:gmatch "[^\n]+" do
    local class_name = line:match "^%-%-%-@class ([%w_.]+)"
    local field, optional = line:match '^%-%-%-@field ([%w_]+)(%??) '
    if not field then
      field, optional = line:match '^%-%-%-@field %["([^"]+)"%](%??) '
    end
    local variable = line:match "^local ([%a_]+) = {}$"
    local path, name, parameters = line:match "^function ([%a_.]+)[.:]([%w_]+)%((.*)%) end$"
    if class_name then
      class = { functions = {}, fields = {} }
      classes[class_name] = class
    elseif field then
      class.fields[field] = optional == "?"
    elseif variable then
      classes_by_variable[variable] = class
    elseif path then
      assert(classes_by_variable[path], "no class for " .. path).functions[name] = parameters
    end
  end
  return classes
end

local function parse_all()
  local all = {}
  for _, name in ipairs(STUBS) do
    for class, declared in pairs(parse(read(name))) do
      lu.assertNil(all[class], class .. " is declared twice")
      all[class] = declared
    end
  end
  return all
end

local classes = parse_all()

-- The methods of a value whose metatable scripts cannot see.
local function methods_of(value)
  return debug.getmetatable(value).__index
end

local function make_failure()
  local _, err = turnstile.widgets.get "0x4stub"
  return err
end

-- What the declared classes stand for.
local widget = assert(turnstile.widgets.create(FIELDS))
local real = {
  cjson = require "cjson",
  csv = require "csv",
  fs = require "fs",
  human = require "human",
  limits = require "limits",
  log = require "log",
  secret = methods_of(widget.secret),
  task = task,
  ["task.handle"] = methods_of(task.spawn(function() end)),
  turnstile = turnstile,
  ["turnstile.client"] = turnstile.client {},
  ["turnstile.error"] = methods_of(make_failure()),
  ["turnstile.widgets"] = turnstile.widgets,
}

local TestMeta = {}

function TestMeta.testEveryStubIsValidLuaAndReturnsItsModule()
  for _, name in ipairs(STUBS) do
    lu.assertIsTable(assert(loadfile(META .. name .. ".lua"))(), name)
  end
end

function TestMeta.testEveryNativeModuleHasAStub()
  for name in pairs(package.preload) do
    if not name:find "^tshost%." then
      lu.assertIsTable(classes[name], "no stub for module " .. name)
    end
  end
end

function TestMeta.testEveryClassWithFunctionsIsCompared()
  for name, class in pairs(classes) do
    if next(class.functions) then
      lu.assertNotNil(real[name], "nothing to compare the stub of " .. name .. " with")
    end
  end
end

function TestMeta.testEveryFunctionOfAStubExists()
  for name, module in pairs(real) do
    for function_name in pairs(classes[name].functions) do
      local ok, value = pcall(function() return module[function_name] end)
      lu.assertIsTrue(ok and type(value) == "function", name .. " has no " .. function_name)
    end
  end
end

function TestMeta.testEverythingReallyThereIsInTheStub()
  for name, module in pairs(real) do
    for key, value in pairs(module) do
      local class = classes[name]
      local declared = type(value) == "function" and class.functions[key]
        or type(value) ~= "function" and class.fields[key] ~= nil
      lu.assertIsTrue(declared and true, ("%s.%s is not in the stub"):format(name, key))
    end
  end
end

-- Only functions written in Lua tell how many parameters they take.
function TestMeta.testParametersOfLuaFunctionsAreCounted()
  for name, module in pairs(real) do
    for key, value in pairs(module) do
      local info = type(value) == "function" and debug.getinfo(value, "Su")
      if info and info.what == "Lua" then
        local _, declared = classes[name].functions[key]:gsub("[%w_]+", "")
        lu.assertEquals(declared, info.nparams, name .. "." .. key)
      end
    end
  end
end

local function assert_fields(class_name, value)
  local fields = classes[class_name].fields
  for key in pairs(value) do
    lu.assertNotNil(fields[key], ("%s.%s is not in the stub"):format(class_name, key))
  end
  for field, is_optional in pairs(fields) do
    lu.assertIsTrue(is_optional or value[field] ~= nil, class_name .. " came without " .. field)
  end
end

function TestMeta.testFieldsOfWhatComesBack()
  assert_fields("turnstile.widget", widget)
  assert_fields("turnstile.widget", turnstile.widgets.all()[1])
  local err = make_failure()
  assert_fields("turnstile.error", err)
  assert_fields("turnstile.api_error", err.errors[1])
  local verdict = assert(turnstile.siteverify { secret = widget.secret, response = "none" })
  lu.assertNotNil(verdict["error-codes"])
end

function TestMeta.testWritableFields()
  local writable = classes["turnstile.widget_fields"].fields
  for field in pairs(classes["turnstile.widget"].fields) do
    local _, complaint = pcall(turnstile.widgets.create, { [field] = print })
    local is_read_only = complaint:find("set by the service", 1, true) ~= nil
    lu.assertEquals(writable[field] == nil, is_read_only, field)
  end
  for field in pairs(writable) do
    local _, complaint = pcall(turnstile.widgets.update, "0x4stub", { [field] = print })
    local is_fixed = complaint:find("is fixed", 1, true) ~= nil
    local is_declared = classes["turnstile.widget_changes"].fields[field] ~= nil
    lu.assertEquals(is_declared, not is_fixed, field)
  end
end

-- Functions that take tables of options. Each refuses the unknown, so whatever else it says of a
-- nonsensical value, it knows the name.
local takers = {
  ["csv.options"] = function(options) require "csv".open("/dev/null", options) end,
  ["secret.write_options"] = function(options) widget.secret:write("/nowhere", options) end,
  ["task.options"] = function(options) task.each({}, print, options) end,
  ["turnstile.client_options"] = turnstile.client,
  ["turnstile.domain_changes"] = function(changes)
    turnstile.widgets.update("0x4stub", { domains = changes })
  end,
  ["turnstile.list_options"] = turnstile.widgets.list,
  ["turnstile.rotate_options"] = function(options)
    turnstile.widgets.rotate_secret("0x4stub", options)
  end,
  ["turnstile.siteverify_request"] = turnstile.siteverify,
  ["turnstile.widget_changes"] = function(changes) turnstile.widgets.update("0x4stub", changes) end,
  ["turnstile.widget_fields"] = turnstile.widgets.create,
}

local function is_known(take, name)
  local ok, complaint = pcall(take, { [name] = coroutine.create(print) })
  complaint = tostring(complaint)
  return ok or not (complaint:find("unknown", 1, true) or complaint:find("no field", 1, true))
end

function TestMeta.testOptionsAreKnownToTheFunctionsThatTakeThem()
  for name, take in pairs(takers) do
    lu.assertIsFalse(is_known(take, "no_such_option"), name .. " takes anything")
    for option in pairs(classes[name].fields) do
      lu.assertIsTrue(is_known(take, option), name .. "." .. option .. " is not taken")
    end
  end
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestMeta", TestMeta } })
