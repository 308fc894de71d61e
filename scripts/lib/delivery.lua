-- SPDX-License-Identifier: MIT
-- Where the secrets of widgets go: a file each, or a command that reads it on standard input. What
-- can go wrong is looked for before there is a secret to deliver.
local command_line = require "command_line"
local file_name = require "file_name"
local fs = require "fs"

---@class delivery
---@field private dir? string
---@field private by? "name"|"sitekey"
---@field private words? string[]
---@field private names table<string, integer> how many widgets of the fleet have each name
local delivery = {}
delivery.__index = delivery

---Adds --secrets-dir, --files-by and --command to an argparse parser; one of the first and the last
---must be given.
---@param parser table
function delivery.add_options(parser)
  parser:mutex(
    parser:option("--secrets-dir", "Each secret into a file of its own, mode 0600; what is there "
      .. "is replaced. The directory is made if missing."):argname("DIR"):overwrite(false),
    parser:option("--command", "Each secret to a command's standard input. Words are split as in "
      .. "the shell, but there is none; {sitekey} and {name}, written as a file would be named, are "
      .. "filled in: 'vault kv put kv/{name} secret=-'."):argname("COMMAND"):overwrite(false))
  parser:option("--files-by", "What the files are named after.", "name")
    :choices { "name", "sitekey" }
end

---The delivery that a command line asks for.
---@param args table what the parser gave
---@return delivery? delivery nil when it makes no sense
---@return string? problem for the parser's error
function delivery.read(args)
  local self = setmetatable({ names = {} }, delivery)
  if args.secrets_dir then
    self.dir, self.by = args.secrets_dir:gsub("/+$", ""), args.files_by
    return self
  elseif not args.command then
    return nil, "where do the secrets go? say --secrets-dir or --command"
  end
  local words, problem = command_line.split(args.command)
  if not words then
    return nil, "--command: " .. problem
  end
  self.words, self.fields = words, command_line.fields(words)
  for field in pairs(self.fields) do
    if field ~= "sitekey" and field ~= "name" then
      return nil, ("--command: {%s} is not known, there are {sitekey} and {name}"):format(field)
    end
  end
  if self.fields[words[1]:match "{(%a[%w_]*)}" or ""] then
    return nil, "--command: its first word is the program and must be fixed"
  elseif not command_line.is_there(words[1]) then
    return nil, ("--command: there is no program %q"):format(words[1])
  end
  return self
end

---Makes the directory, if there is to be one.
---@return boolean? ok
---@return string? problem
function delivery:prepare()
  if self.dir then
    return fs.mkdir(self.dir == "" and "/" or self.dir)
  end
  return true
end

---To be told of each widget of the fleet, once: a name that several have is no place for a secret.
---@param widget turnstile.widget
function delivery:see(widget)
  self.names[widget.name] = (self.names[widget.name] or 0) + 1
end

---Whether all secrets would go to one place.
---@return boolean
function delivery:is_one_place()
  return self.words ~= nil and next(self.fields) == nil
end

local function path(self, widget)
  local name = self.by == "sitekey" and widget.sitekey or file_name.of(widget.name)
  return self.dir .. "/" .. name
end

local function command(self, widget)
  -- Anybody may have chosen the name; as a file name it is no path, option or shell code.
  return command_line.fill(self.words, {
    sitekey = widget.sitekey, name = file_name.of(widget.name),
  })
end

---Where the widget's secret goes, for people.
---@param widget turnstile.widget
---@return string
function delivery:place(widget)
  return self.dir and path(self, widget) or table.concat(command(self, widget), " ")
end

---Why the widget's secret must not or cannot be delivered, as far as it can be told before.
---@param widget turnstile.widget
---@return string?
function delivery:find_obstacle(widget)
  if self.dir then
    if self.by == "name" and self.names[widget.name] > 1 then
      return "several widgets have this name: --files-by sitekey gives each a file of its own"
    end
    local is_file, problem = fs.is_file(path(self, widget))
    return is_file == nil and problem .. "; move it away" or nil
  elseif self.fields.name and not self.fields.sitekey and self.names[widget.name] > 1 then
    return "several widgets have this name: use {sitekey}"
  end
end

---Delivers the widget's secret. Whether the place holds another one is not looked at.
---@param widget turnstile.widget with its secret
---@return true? delivered
---@return turnstile.error? err
function delivery:deliver(widget)
  if self.dir then
    return widget.secret:write(path(self, widget), { replace = true })
  end
  return widget.secret:pipe(command(self, widget))
end

return delivery
