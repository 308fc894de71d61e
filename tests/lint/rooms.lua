-- SPDX-License-Identifier: MIT
-- The rooms: what each may include, call and link, as rooms_table.lua has it.
-- Tests may include every room; no room may include a test.
local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local source = require("source")
local allowed = require("rooms_table")

local function has(list, value)
  for _, item in ipairs(list) do
    if item == value then
      return true
    end
  end
  return false
end

-- "host/net" for host/net/loop.c, "bindings" for bindings/task.c, "tests" for a test.
local function room_of(path)
  return path:match("^(host/[^/]+)/") or path:match("^(bindings)/") or path:match("^(tests)/")
end

local function check_ours(path, line, room, name)
  local target = room_of(name)
  if name:find("%.c$") then
    source.report(path, line, "includes a source, %s", name)
  elseif not target then
    source.report(path, line, '"%s" is not a path from the root of the project', name)
  elseif not io.open(name, "rb") then
    source.report(path, line, '"%s" does not exist', name)
  elseif room == "tests" or target == room then
    return
  elseif not has(allowed.rooms[room], target) then
    source.report(path, line, "%s may not include %s", room, target)
  elseif name:find("_private%.h$") then
    source.report(path, line, "%s is private to %s", name, target)
  end
end

local function check_library(path, line, room, name)
  if allowed.system[name] or room == "tests" then
    return
  end
  for pattern, rooms in pairs(allowed.libraries) do
    if name:find(pattern) then
      if not has(rooms, room) then
        source.report(path, line, "%s may not include <%s>; only %s may", room, name,
          table.concat(rooms, ", "))
      end
      return
    end
  end
  source.report(path, line, "<%s> is in no list of tests/lint/rooms_table.lua", name)
end

local function check_calls(path, line, room, text)
  for name, rooms in pairs(allowed.calls) do
    if room ~= "tests" and text:find("%f[%w_]" .. name .. "%f[^%w_]")
      and not has(rooms, room) and not has(rooms, path) then
      source.report(path, line, "%s may not use %s; only %s may", path,
        name, #rooms > 0 and table.concat(rooms, ", ") or "tests")
    end
  end
end

-- ts_room(net SOURCES ... ROOMS base LIBS PkgConfig::CURL) in a room's CMakeLists.txt.
local function check_links(path, room)
  local section
  for line, text in source.lines(source.read(path)) do
    for word in text:gsub("#.*", ""):gmatch("[^%s()]+") do
      local target = word == "bindings" and word or "host/" .. word
      if word == "SOURCES" or word == "ROOMS" or word == "LIBS" then
        section = word
      elseif section == "ROOMS" and not has(allowed.rooms[room], target) then
        source.report(path, line, "%s may not link %s", room, target)
      elseif allowed.targets[word] and not has(allowed.targets[word], room) then
        source.report(path, line, "%s may not link %s; only %s may", room, word,
          table.concat(allowed.targets[word], ", "))
      end
    end
    if text:find("%)%s*$") then
      section = nil
    end
  end
end

for _, path in ipairs(source.files("^host/[^/]+/CMakeLists%.txt$", "^bindings/CMakeLists%.txt$")) do
  local room = room_of(path)
  if allowed.rooms[room] then
    check_links(path, room)
  end
end
for _, path in ipairs(source.files("%.[ch]$")) do
  local room = room_of(path)
  if not room or (room ~= "tests" and not allowed.rooms[room]) then
    source.report(path, 1, "lies in no room of tests/lint/rooms_table.lua")
  else
    for line, text in source.lines(source.strip_c(source.read(path), true)) do
      local ours = text:match('^%s*#%s*include%s*"([^"]+)"')
      local library = text:match("^%s*#%s*include%s*<([^>]+)>")
      if ours then
        check_ours(path, line, room, ours)
      elseif library then
        check_library(path, line, room, library)
      elseif text:find("^%s*#%s*include") then
        source.report(path, line, "includes what cannot be checked")
      end
    end
    for line, text in source.lines(source.strip_c(source.read(path))) do
      check_calls(path, line, room, text)
    end
  end
end
source.finish()
