-- SPDX-License-Identifier: MIT
-- What a script that is planned sees of files and commands. It reads what is there. What it writes
-- goes to files without a name, which it finds again under the path it wrote to, and which end with
-- the plan; what it removes is gone for it alone; commands are not run, and seem to succeed without
-- a word. Each is remarked, for a plan must surprise nobody.
local core = require "tshost.rehearsal_core"

local rehearsal = {}

-- What takes the place of functions of io and os.
local files, system = {}, {}

local NOT_FOUND, IS_DIRECTORY = 2, 21

-- What the script has made of a path, by its key: `false` when it is removed; else a table with
-- `is_directory`, or `text`, or `real` (the path of a file that was renamed), or `path` and `owner`
-- of a file without a name.
local made = {}

-- Plain functions, as the script would have had them.
local io_open, io_lines, io_input, io_output = io.open, io.lines, io.input, io.output

-- Writing there changes nothing that lasts.
local STREAMS = {
  ["/dev/null"] = true, ["/dev/full"] = true, ["/dev/tty"] = true, ["/dev/stdout"] = true,
  ["/dev/stderr"] = true, ["/dev/fd/1"] = true, ["/dev/fd/2"] = true,
}

local function fail(path, text, number)
  return nil, path .. ": " .. text, number
end

local function not_found(path)
  return fail(path, "No such file or directory", NOT_FOUND)
end

-- Whether there is something at the path, for the script; and what the script has made there.
local function look(path)
  local key, directory = core.key(path)
  local entry = made[key]
  if entry == nil then
    return core.kind(path) ~= nil, nil, key, directory
  end
  return entry ~= false, entry, key, directory
end

-- Whether something could be put at the path where the script has made nothing.
local function may_add(path, directory)
  local above = made[directory]
  if above == false then
    return not_found(path)
  elseif above then
    return true
  end
  return core.may_add(path, directory)
end

-- The path under which the plain functions find what an entry holds.
local function place_of(entry)
  if entry.text then
    local owner, path = core.shadow "text"
    if not owner then
      return nil
    end
    local file = assert(io_open(path, "wb"))
    file:write(entry.text)
    file:close()
    entry.text, entry.owner, entry.path = nil, owner, path
  end
  return entry.path or entry.real
end

-- A file without a name in the place of path, with what is there now if it is to be kept.
local function shadow(path, key, entry, is_kept)
  local from = is_kept and (entry == nil and path or entry and place_of(entry))
  local owner, place, number = core.shadow(path)
  if not owner then
    return nil, place, number
  end
  if from then
    local source = io_open(from, "rb")
    if source then
      local copy = assert(io_open(place, "wb"))
      for block in source:lines(65536) do
        copy:write(block)
      end
      copy:close()
      source:close()
    end
  end
  made[key] = { owner = owner, path = place }
  return made[key]
end

local function open_to_read(path, mode)
  local is_there, entry = look(path)
  if entry == nil then
    return io_open(path, mode)
  elseif not is_there then
    return not_found(path)
  elseif entry.is_directory then
    return fail(path, "Is a directory", IS_DIRECTORY)
  end
  return io_open(place_of(entry), mode)
end

local function open_to_write(path, mode, name)
  if STREAMS[path] then
    return io_open(path, mode)
  end
  local is_there, entry, key, directory = look(path)
  local is_kept = mode:sub(1, 1) ~= "w"
  if mode:sub(1, 1) == "r" and not is_there then
    return not_found(path)
  elseif entry and entry.is_directory then
    return fail(path, "Is a directory", IS_DIRECTORY)
  end
  local ok, problem, number = true, nil, nil
  if entry == nil and is_there then
    ok, problem, number = core.may_write(path)
  elseif not entry then
    ok, problem, number = may_add(path, directory)
  end
  if not ok then
    return nil, problem, number
  end
  if not (entry and entry.path) then
    entry, problem, number = shadow(path, key, entry, is_kept)
    if not entry then
      return nil, problem, number
    end
  end
  core.remark(("%s(%q): the file is not written"):format(name, path))
  return io_open(entry.path, mode)
end

function files.open(path, mode, ...)
  local is_path = type(path) == "string" or type(path) == "number"
  local is_mode = mode == nil or type(mode) == "string" and mode:find "^[rwa]%+?b?$"
  if not is_path or not is_mode then
    return io_open(path, mode, ...) -- raises
  end
  path, mode = tostring(path), mode or "r"
  if mode:find "[wa+]" then
    return open_to_write(path, mode, "io.open")
  end
  return open_to_read(path, mode)
end

function files.lines(path, ...)
  local entry = type(path) == "string" and made[core.key(path)]
  if entry and not entry.is_directory then
    return io_lines(place_of(entry), ...)
  elseif entry == false and type(path) == "string" and made[core.key(path)] == false then
    error((select(2, not_found(path))), 2)
  end
  return io_lines(path, ...)
end

function files.input(file)
  local entry = type(file) == "string" and made[core.key(file)]
  if entry and not entry.is_directory then
    return io_input(place_of(entry))
  end
  return io_input(file)
end

function files.output(file)
  if type(file) ~= "string" then
    return file == nil and io_output() or io_output(file)
  end
  local opened, problem = open_to_write(file, "w", "io.output")
  if not opened then
    error(problem, 2)
  end
  return io_output(opened)
end

function files.popen(command, mode)
  command = tostring(command)
  mode = mode or "r"
  if mode ~= "r" and mode ~= "w" then
    error("bad argument #2 to 'popen' (invalid mode)", 2)
  end
  core.remark(("io.popen(%q): the command is not run%s"):format(command,
    mode == "r" and "; it seems to print nothing" or ""))
  return core.null_pipe(mode)
end

function system.execute(command)
  if command == nil then
    return true
  end
  core.remark(("os.execute(%q): the command is not run; it seems to succeed")
    :format(tostring(command)))
  return true, "exit", 0
end

function system.remove(path)
  path = tostring(path)
  local is_there, _, key = look(path)
  if not is_there then
    return not_found(path)
  end
  core.remark(("os.remove(%q): nothing is removed"):format(path))
  made[key] = false
  return true
end

function system.rename(from, to)
  from, to = tostring(from), tostring(to)
  local is_there, entry, key = look(from)
  if not is_there then
    return not_found(from)
  end
  local _, other, target, directory = look(to)
  if not other then
    local ok, problem, number = may_add(to, directory)
    if not ok then
      return nil, problem, number
    end
  end
  core.remark(("os.rename(%q, %q): nothing is renamed"):format(from, to))
  if entry == nil then
    entry = core.kind(from) == "directory" and { is_directory = true } or { real = key }
  end
  made[key], made[target] = false, entry
  return true
end

function system.tmpname()
  local path
  repeat
    path = ("/tmp/lua_%06x"):format(math.random(0, 0xffffff))
  until not look(path)
  made[core.key(path)] = { text = "" }
  return path
end

local function wrap_fs(fs)
  local mkdir, exists, is_file = fs.mkdir, fs.exists, fs.is_file

  function fs.mkdir(path)
    if type(path) ~= "string" or path:find "\0" then
      return mkdir(path) -- raises
    end
    local is_there, entry, key, directory = look(path)
    if entry and entry.is_directory then
      return true
    elseif is_there and entry == nil then
      return mkdir(path) -- says whether it can be used, and makes nothing
    elseif is_there then
      return fail(path, "cannot use it: Not a directory")
    end
    local ok, problem = may_add(path, directory)
    if not ok then
      return nil, problem
    end
    core.directory(key)
    made[key] = { is_directory = true }
    return true
  end

  function fs.exists(path)
    local entry
    if type(path) == "string" then
      entry = made[core.key(path)]
    end
    if entry == nil then
      return exists(path)
    end
    return entry ~= false
  end

  function fs.is_file(path)
    local entry
    if type(path) == "string" then
      entry = made[core.key(path)]
    end
    if entry == nil then
      return is_file(path)
    elseif entry == false then
      return false
    elseif entry.is_directory then
      return fail(path, "is a directory")
    end
    local file = io_open(place_of(entry), "rb")
    local is_full = file and file:read(1) ~= nil
    if file then
      file:close()
    end
    if not is_full then
      return fail(path, "is an empty file")
    end
    return true
  end

  return fs
end

local function wrap_csv(csv)
  local open = csv.open

  function csv.open(path, ...)
    local entry = type(path) == "string" and path ~= "-" and made[core.key(path)]
    return open(entry and not entry.is_directory and place_of(entry) or path, ...)
  end

  return csv
end

for name, value in pairs(files) do
  rawset(io, name, value)
end
for name, value in pairs(system) do
  rawset(os, name, value)
end
for name, wrap in pairs { fs = wrap_fs, csv = wrap_csv } do
  local load = package.preload[name]
  package.preload[name] = function(...)
    return wrap(load(...))
  end
end

local plain_require, plain_loadlib = require, package.loadlib

local function remark_native(what)
  core.remark(what .. ": a module written in C; what it does by itself is carried out")
end

rawset(package, "loadlib", function(path, name)
  remark_native(("package.loadlib(%q)"):format(tostring(path)))
  return plain_loadlib(path, name)
end)

-- What a module in C does, nobody holds back.
function _G.require(name)
  local module, place = plain_require(name)
  if type(place) == "string" and place:find "%.so$" then
    remark_native(("require %q"):format(name))
  end
  return module, place
end

-- Why a secret cannot go to path, or nil.
local function find_obstacle(path, is_replace, entry, directory)
  local kind = entry == nil and core.kind(path, true) -- no link is followed
  if entry and entry.is_directory then
    return path .. ": is a directory"
  elseif kind and kind ~= "file" then
    return path .. ": is no regular file"
  elseif (entry or kind) and not is_replace then
    return path .. ": is there already; nothing was written, replace = true would overwrite it"
  elseif entry then
    return nil
  end
  local ok, problem, number = may_add(path, directory) -- what is there is not written to, but replaced
  if not ok and number == NOT_FOUND then
    return ("%s: make the directory %s first: No such file or directory")
      :format(path, path:match "^(.*)/[^/]*$" or ".")
  end
  return problem
end

-- Whether a secret can go to path; if so, it has.
function rehearsal.deliver_file(path, is_replace)
  local _, entry, key, directory = look(path)
  local problem = find_obstacle(path, is_replace, entry, directory)
  if problem then
    return nil, problem
  end
  made[key] = { text = "planned-secret" }
  return true
end

local function is_program(path)
  local is_there, entry = look(path)
  return is_there and not (entry and entry.is_directory)
end

-- Whether there is such a program to start.
function rehearsal.deliver_command(program)
  if program:find("/", 1, true) then
    if is_program(program) then
      return true
    end
  else
    for folder in (os.getenv "PATH" or "/usr/bin:/bin"):gmatch "[^:]+" do
      if is_program(folder .. "/" .. program) then
        return true
      end
    end
  end
  return nil, program .. ": command not found"
end

return rehearsal
