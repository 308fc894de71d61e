-- SPDX-License-Identifier: MIT
-- Patterns as the shell has them, for whole names: "acme-*". Matching takes time in proportion to
-- pattern times name, whatever the pattern.
local glob = {}

local STAR <const> = -1
local ANY <const> = -2

-- Characters as numbers; a text that is not UTF-8 byte by byte.
local function codes(text)
  local list = {}
  if utf8.len(text) then
    for _, code in utf8.codes(text) do
      list[#list + 1] = code
    end
  else
    for i = 1, #text do
      list[i] = text:byte(i)
    end
  end
  return list
end

-- The set that begins behind the "[" at i, and where it ends; nil when it has no end.
local function read_set(chars, i)
  local set = { ranges = {} }
  if chars[i] == 0x21 or chars[i] == 0x5E then -- ! ^
    set.is_negated = true
    i = i + 1
  end
  local first = i
  while chars[i] and (chars[i] ~= 0x5D or i == first) do -- ]
    local low, high = chars[i], chars[i]
    if chars[i + 1] == 0x2D and chars[i + 2] and chars[i + 2] ~= 0x5D then -- -
      high = chars[i + 2]
      i = i + 2
    end
    set.ranges[#set.ranges + 1] = { low, high }
    i = i + 1
  end
  return chars[i] and set, i
end

local function parse(pattern)
  local chars, tokens, i = codes(pattern), {}, 1
  while chars[i] do
    local token = chars[i]
    if token == 0x2A then -- *
      token = STAR
    elseif token == 0x3F then -- ?
      token = ANY
    elseif token == 0x5C and chars[i + 1] then -- backslash
      i = i + 1
      token = chars[i]
    elseif token == 0x5B then -- [
      local set, last = read_set(chars, i + 1)
      if set then
        token, i = set, last
      end
    end
    tokens[#tokens + 1] = token
    i = i + 1
  end
  return tokens
end

local function fits(token, code)
  if token == ANY or token == code then
    return true
  end
  if type(token) ~= "table" then
    return false
  end
  for _, range in ipairs(token.ranges) do
    if code >= range[1] and code <= range[2] then
      return not token.is_negated
    end
  end
  return token.is_negated == true
end

---Makes a function that tells whether a text as a whole fits the pattern: `*` any characters, `?`
---one, `[a-z]` one of these, `[!a-z]` one other, `\` before a character takes it as it is. Upper and
---lower case differ.
---@param pattern string
---@return fun(text: string): boolean
function glob.compile(pattern)
  local tokens = parse(pattern)
  return function(text)
    local chars = codes(text)
    local t, c = 1, 1
    local star, retry -- the last star, and where what follows it is tried next
    while chars[c] do
      if tokens[t] == STAR then
        star, retry, t = t, c, t + 1
      elseif tokens[t] and fits(tokens[t], chars[c]) then
        t, c = t + 1, c + 1
      elseif star then
        retry = retry + 1
        t, c = star + 1, retry
      else
        return false
      end
    end
    while tokens[t] == STAR do
      t = t + 1
    end
    return tokens[t] == nil
  end
end

return glob
