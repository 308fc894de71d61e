-- SPDX-License-Identifier: MIT
-- Names that clang-tidy cannot judge: what a header offers carries a prefix, what stays inside a
-- source does not; header guards follow from the path.
local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local source = require("source")

-- In bindings the verbs that may raise stand first; see CONTRIBUTING.md.
local raising = { "^check_", "^opt_", "^push_" }

local function is_raising(name)
  for _, prefix in ipairs(raising) do
    if name:find(prefix) then
      return true
    end
  end
end

local function is_public_name(path, name)
  return name:find("^ts_") or name:find("^lx_") or name:find("^luaopen_")
    or (path:find("^bindings/") and is_raising(name))
end

-- The function that a line at the left margin declares or defines.
local function function_of(text)
  if text:find("^[%a_]") and not text:find("^typedef%f[^%w_]") and not text:find("=") then
    return text:match("^[%w_%s%*]-[%s%*]([%a_][%w_]*)%(")
  end
end

local function check_offers(path, text)
  for line, code in source.lines(source.strip_c(text)) do
    local name = function_of(code)
    -- What scripts call is named by module and function: widgets_get(lua_State *L).
    local is_lua_function = path:find("^bindings/") and code:find("%(lua_State %*L%);")
    if name and not code:find("^static%s") and not is_lua_function
      and not is_public_name(path, name) then
      source.report(path, line, "%s: what a header offers is called ts_ or lx_", name)
    end
    if name and path:find("^bindings/") and is_raising(name) and not code:find("^TS_RAISES%s") then
      source.report(path, line, "%s may raise and is not marked TS_RAISES", name)
    end
    local tag = code:match("^struct%s+([%w_]+)%s*{") or code:match("^enum%s+([%w_]+)%s*{")
    if tag and not is_public_name(path, tag) then
      source.report(path, line, "%s: a struct or enum in a header is called ts_", tag)
    end
    local macro = code:match("^#define%s+([%w_]+)")
    if macro and not macro:find("^TS_") and not macro:find("^LX_") then
      source.report(path, line, "%s: a macro in a header is called TS_ or LX_", macro)
    end
  end
end

local function check_header(path)
  -- host/net/loop.h is guarded by TS_NET_LOOP_H, bindings/lx.h by TS_BINDINGS_LX_H.
  local guard = "TS_" .. path:gsub("^host/", ""):gsub("[/.%-]", "_"):upper()
  local text = source.read(path)
  if not text:find("#ifndef " .. guard .. "\n#define " .. guard .. "\n", 1, true) then
    source.report(path, 1, "the header guard is not %s", guard)
  end
  if not path:find("_private%.h$") then -- what stays inside a room needs no prefix
    check_offers(path, text)
  end
end

local function check_source(path)
  for line, code in source.lines(source.strip_c(source.read(path))) do
    local name = function_of(code)
    if name and code:find("^static%s") and name:find("^ts_") then
      source.report(path, line, "%s: ts_ is for functions that a header offers", name)
    end
  end
end

for _, path in ipairs(source.files("^host/.*%.h$", "^bindings/.*%.h$")) do
  check_header(path)
end
for _, path in ipairs(source.files("^host/.*%.c$", "^bindings/.*%.c$")) do
  check_source(path)
end
source.finish()
