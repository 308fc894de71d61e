-- SPDX-License-Identifier: MIT
-- A change to the domains of any widget: some to add, some to remove, some to replace by others
-- where they are. Checked as a whole before it is used, then applied to sets.
local limits = require "limits"

---@class domain_edit
---@field private add string[]
---@field private remove string[]
---@field private replace string[][] pairs, old and new
local domain_edit = {}
domain_edit.__index = domain_edit

-- The words as the API keeps domains; repeats stay.
local function read_domains(words, complain)
  local domains = {}
  for _, word in ipairs(words) do
    local domain, problem = limits.domain(word)
    if domain then
      domains[#domains + 1] = domain
    else
      complain(problem)
    end
  end
  return domains
end

local function read_pairs(words, complain)
  local pairs_, new_of = {}, {}
  for _, word in ipairs(words) do
    local old, new = word:match "^([^=]+)=([^=]+)$"
    if not old then
      complain(("replace %q: OLD=NEW expected"):format(word))
    else
      local both = read_domains({ old, new }, complain)
      old, new = both[1], both[2]
      if new and old == new then
        complain(("replace %q: both are the same domain"):format(word))
      elseif new and new_of[old] and new_of[old] ~= new then
        complain(("%s cannot be replaced by both %s and %s"):format(old, new_of[old], new))
      elseif new then
        new_of[old] = new
        pairs_[#pairs_ + 1] = both
      end
    end
  end
  return pairs_
end

local function set_of(list)
  local set = {}
  for _, item in ipairs(list) do
    set[item] = true
  end
  return set
end

-- What one part of the edit gives and another takes away.
local function check_sense(edit, complain)
  local added, removed = set_of(edit.add), set_of(edit.remove)
  for _, domain in ipairs(edit.add) do
    if removed[domain] then
      complain(("%s is both added and removed"):format(domain))
    end
  end
  for _, pair in ipairs(edit.replace) do
    if added[pair[1]] then
      complain(("%s is both added and replaced"):format(pair[1]))
    end
    if removed[pair[2]] then
      complain(("%s is both removed and what replaces %s"):format(pair[2], pair[1]))
    end
  end
end

---@class domain_edit.words
---@field add string[]
---@field remove string[]
---@field replace string[] each "OLD=NEW"

---Reads an edit. Each thing that is wrong with it is complained about.
---@param words domain_edit.words
---@param complain fun(problem: string)
---@return domain_edit
function domain_edit.read(words, complain)
  local edit = setmetatable({
    add = read_domains(words.add, complain),
    remove = read_domains(words.remove, complain),
    replace = read_pairs(words.replace, complain),
  }, domain_edit)
  if #words.add + #words.remove + #words.replace == 0 then
    complain "nothing to add, remove or replace"
  end
  check_sense(edit, complain)
  return edit
end

-- Those of the first set that the second lacks, sorted.
local function difference(set, other)
  local list = {}
  for item in pairs(set) do
    if not other[item] then
      list[#list + 1] = item
    end
  end
  table.sort(list)
  return list
end

---@class domain_edit.change
---@field added string[] sorted, as `removed`; both empty when the widget is as it should be
---@field removed string[]
---@field before string[] all domains, sorted
---@field after string[]

---What the edit does to these domains: all its parts look at them as they are now, so `a=b` and
---`b=c` together move both by one.
---@param domains string[]
---@return domain_edit.change
function domain_edit:apply(domains)
  local before, after = {}, {}
  for _, domain in ipairs(domains) do
    domain = limits.domain(domain) or domain
    before[domain], after[domain] = true, true
  end
  for _, domain in ipairs(self.remove) do
    after[domain] = nil
  end
  for _, pair in ipairs(self.replace) do
    if before[pair[1]] then
      after[pair[1]] = nil
    end
  end
  for _, pair in ipairs(self.replace) do
    if before[pair[1]] then
      after[pair[2]] = true
    end
  end
  for _, domain in ipairs(self.add) do
    after[domain] = true
  end
  return {
    added = difference(after, before),
    removed = difference(before, after),
    before = difference(before, {}),
    after = difference(after, {}),
  }
end

return domain_edit
