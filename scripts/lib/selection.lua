-- SPDX-License-Identifier: MIT
-- Which widgets of the fleet a script works on: options for its command line, and the widgets that
-- fit all of those given. Never the whole fleet by accident.
local glob = require "glob"
local limits = require "limits"
local sitekey_file = require "sitekey_file"

---@class selection
---@field is_named? boolean whether widgets were named one by one, in a file
---@field private tests (fun(widget: turnstile.widget): boolean)[]
---@field private wanted string[] the sitekeys of the file
---@field private seen table<string, boolean> those of them that the fleet has
local selection = {}
selection.__index = selection

---Adds --name, --has-domain, --sitekeys and --all to an argparse parser.
---@param parser table
function selection.add_options(parser)
  parser:option("--name", "Widgets whose whole name fits: 'acme-*'; *, ? and [a-z] as in the "
    .. "shell, in the case given."):argname("PATTERN"):overwrite(false)
  parser:option("--has-domain", "Widgets that have exactly this domain."):argname("DOMAIN")
    :overwrite(false)
  parser:option("--sitekeys", "Widgets listed in a file, one sitekey a line; - for standard input.")
    :argname("FILE"):overwrite(false)
  parser:flag("--all", "All widgets of the account.")
end

---Whether any of the options was given.
---@param args table what the parser gave
---@return boolean
function selection.is_given(args)
  return (args.name or args.has_domain or args.sitekeys or args.all) and true or false
end

local function has_domain(widget, domain)
  for _, own in ipairs(widget.domains) do
    if own == domain or limits.domain(own) == domain then
      return true
    end
  end
  return false
end

---The selection that a command line asks for.
---@param args table what the parser gave
---@return selection? chosen nil when the options make no sense
---@return string? problem for the parser's error
---@return string[]? complaints about the file of sitekeys, with file and line
function selection.read(args)
  if not selection.is_given(args) then
    return nil, "which widgets? say --name, --has-domain, --sitekeys or --all"
  end
  if args.all and (args.name or args.has_domain or args.sitekeys) then
    return nil, "--all stands alone: leave it out, or the other options that select"
  end
  local self, complaints = setmetatable({ tests = {}, wanted = {}, seen = {} }, selection), {}
  if args.sitekeys then
    self.is_named = true
    self.wanted, complaints = sitekey_file.read(args.sitekeys)
    local is_wanted = {}
    for _, sitekey in ipairs(self.wanted) do
      is_wanted[sitekey] = true
    end
    self.tests[1] = function(widget)
      self.seen[widget.sitekey] = is_wanted[widget.sitekey]
      return is_wanted[widget.sitekey] == true
    end
  end
  if args.name then
    local fits = glob.compile(args.name)
    self.tests[#self.tests + 1] = function(widget)
      return fits(widget.name)
    end
  end
  if args.has_domain then
    local domain, problem = limits.domain(args.has_domain)
    if not domain then
      return nil, "--has-domain: " .. problem
    end
    self.tests[#self.tests + 1] = function(widget)
      return has_domain(widget, domain)
    end
  end
  return self, nil, complaints
end

---Whether the widget is selected. To be asked for each widget of the fleet, once.
---@param widget turnstile.widget
---@return boolean
function selection:takes(widget)
  for _, test in ipairs(self.tests) do
    if not test(widget) then
      return false
    end
  end
  return true
end

---The sitekeys of the file that no widget had which `takes` was asked about, in the file's order.
---@return string[]
function selection:missing()
  local missing = {}
  for _, sitekey in ipairs(self.wanted) do
    if not self.seen[sitekey] then
      missing[#missing + 1] = sitekey
    end
  end
  return missing
end

return selection
