-- SPDX-License-Identifier: MIT
-- A plan for people: a block for each widget, then the totals, what applying costs and needs, and
-- remarks. What was named by others cannot drive a terminal.
local fields = require "tshost.program.plan_fields"
local human = require "human"
local lx = require "tshost.lx"

-- A text from outside, harmless for a terminal.
local function shown(value)
  return lx.clean(tostring(value))
end

local function quoted(value)
  return type(value) == "string" and '"' .. shown(value) .. '"' or tostring(value)
end

-- A path as it is seen from where the plan was made.
local function near(path, directory)
  local is_inside = directory and path:sub(1, #directory + 1) == directory .. "/"
  return shown(is_inside and path:sub(#directory + 2) or path)
end

-- The text under way: its lines, and how they look.
local writer = {}
writer.__index = writer

local COLORS = { ["+"] = 32, ["~"] = 33, ["-"] = 31, ["!"] = 35, [">"] = 36 }

function writer:add(line)
  self[#self + 1] = line
end

-- What begins with a mark, in its colour.
function writer:marked(mark, text)
  if not self.is_colored then
    return mark .. " " .. text
  end
  return ("\27[%dm%s %s\27[0m"):format(COLORS[mark], mark, text)
end

local INDENT = (" "):rep(6)
local LABEL = 17 -- columns of a field's name and what is left of its value

local function label(name)
  return INDENT .. name .. (" "):rep(LABEL - #name)
end

-- Lines of a set that changes: what comes, what goes.
function writer:add_set(name, before, after)
  local old, new, items = {}, {}, {}
  for _, item in ipairs(before) do
    old[item] = true
  end
  for _, item in ipairs(after) do
    new[item] = true
    if not old[item] then
      items[#items + 1] = self:marked("+", shown(item))
    end
  end
  for _, item in ipairs(before) do
    if not new[item] then
      items[#items + 1] = self:marked("-", shown(item))
    end
  end
  for i, item in ipairs(items) do
    self:add((i == 1 and label(name) or label "") .. item)
  end
end

function writer:add_fields(before, set)
  for _, name in ipairs(fields) do
    local old, new = before and before[name], set[name]
    if name == "domains" and new then
      self:add_set(name, old or {}, new)
      if #new == 0 then
        self:add(label(name) .. "none: any hostname")
      end
    elseif new ~= nil and before then
      self:add(label(name) .. quoted(old) .. " -> " .. quoted(new))
    elseif new ~= nil then
      self:add(label(name) .. quoted(new))
    end
  end
end

-- Of each step: its mark, what it does, and what `tshost undo` would do about it.
local tell = {}

function tell.create()
  return "+", "create", "deletes it, with --allow delete"
end

function tell.update()
  return "~", "change", "puts it back"
end

function tell.delete()
  return "-", "delete", "none, its sitekey is gone"
end

function tell.rotate(step)
  if step.invalidate_immediately then
    return "!", "rotate the secret at once: the old one is refused from then on", "none"
  end
  return "!", "rotate the secret; the old one stays valid for two hours", "none"
end

function tell.write(step, directory)
  local what = step.replace and "secret to the file " or "secret to the new file "
  return ">", what .. near(step.path, directory), "none, the file stays"
end

function tell.pipe(step)
  local words = {}
  for i, word in ipairs(step.command) do
    words[i] = word:find "^[%w_@%%+=:,./-]+$" and word or "'" .. shown(word) .. "'"
  end
  return ">", "secret to " .. table.concat(words, " "), "none"
end

function writer:add_step(step)
  local mark, what, undo = tell[step.op](step, self.directory)
  local place = step.place ~= "" and shown(step.place:match "[^/]*$") .. "; " or ""
  self:add(("  %s  (%sundo: %s)"):format(self:marked(mark, what), place, undo))
  if step.set then
    self:add_fields(step.saw, step.set)
  elseif step.op == "delete" and step.saw then
    self:add_set("domains", step.saw.domains or {}, {})
  end
end

-- A block for each widget, in the order in which the script came to them first.
function writer:add_blocks(steps)
  local order, blocks = {}, {}
  for _, step in ipairs(steps) do
    local sitekey = step.new or step.sitekey
    local block = blocks[sitekey]
    if not block then
      block = { sitekey = sitekey }
      blocks[sitekey], order[#order + 1] = block, block
    end
    block[#block + 1] = step
  end
  for _, block in ipairs(order) do
    local name = block[1].saw and block[1].saw.name or block[1].name
    self:add(shown(block.sitekey) .. (name and "  " .. quoted(name) or ""))
    for _, step in ipairs(block) do
      self:add_step(step)
    end
    self:add ""
  end
end

-- What is said of the number of each kind of step, of one and of more.
local TOTALS = {
  { "create", "%s to create" }, { "update", "%s to change" }, { "delete", "%s to delete" },
  { "rotate", "%s to rotate" },
  { "write", "%s secret to a file", "%s secrets to files" },
  { "pipe", "%s secret to a command", "%s secrets to commands" },
}

local function totals(counts)
  local list = {}
  for _, row in ipairs(TOTALS) do
    local count = counts[row[1]]
    if count then
      list[#list + 1] = (count > 1 and row[3] or row[2]):format(human.count(count))
    end
  end
  return table.concat(list, ", ")
end

local function cost(self)
  local requests = human.count(self.requests) .. (self.requests == 1 and " request" or " requests")
  local seconds = math.ceil(self.seconds)
  local wait = seconds > 0 and ("%s at the rate budget"):format(human.duration(seconds))
    or "no wait for the rate budget"
  return ("about %s, %s"):format(requests, wait)
end

function writer:add_totals(what)
  self:add((what.title or "Plan") .. ": " .. totals(what.counts))
  self:add("Account: " .. shown(what.account or "?"))
  self:add("Cost: " .. cost(what))
  if what.options ~= "" then
    self:add("Needs: " .. what.options)
  end
  if what.shortage then
    self:add("The options given allow less: " .. shown(what.shortage))
  end
end

function writer:add_remarks(remarks)
  if #remarks > 0 then
    self:add "Remarks:"
  end
  for _, remark in ipairs(remarks) do
    local place = remark.place ~= "" and shown(remark.place:match "[^/]*$") .. ": " or ""
    local again = (remark.count or 1) > 1 and (" (%s times)"):format(human.count(remark.count)) or ""
    self:add("  " .. place .. shown(remark.text) .. again)
  end
end

---The plan for people.
---@param self table of plan.make; also `seconds` that applying waits for the rate budget, `options`
---that allow it, `shortage`: what the options that were given lack, `file` where it is saved,
---`command` that applies it, `is_colored`; `title`, in place of "Plan"
---@return string
local function render(self)
  local out = setmetatable({ directory = self.directory, is_colored = self.is_colored }, writer)
  out:add_blocks(self.steps)
  if #self.steps == 0 then
    out:add((self.title or "Plan") .. ": no changes")
  else
    out:add_totals(self)
  end
  for i, directory in ipairs(self.directories) do
    out:add((i == 1 and "Directories that are made first: " or "  ")
      .. near(directory, self.directory))
  end
  out:add_remarks(self.remarks)
  if self.file and #self.steps > 0 then
    out:add((self.command and "Saved: " .. self.command or "Saved: " .. shown(self.file))
      .. (self.base_url == "sandbox:" and "; it cannot be applied, as this sandbox has ended" or ""))
  end
  return table.concat(out, "\n") .. "\n"
end

return render
