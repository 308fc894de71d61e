-- SPDX-License-Identifier: MIT
-- Functions and constructs that CONTRIBUTING.md rules out, each with what to use in its place.
-- Comments and strings are not code and are not looked at.
local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local source = require("source")

-- Called nowhere.
local never = {
  sprintf = "snprintf", vsprintf = "vsnprintf", strcpy = "ts_str_copy", strcat = "ts_buf_add_str",
  stpcpy = "ts_str_copy", strncpy = "ts_str_copy", strncat = "ts_buf_add_str",
  strtok = "strchr or strspn", atoi = "ts_str_to_int", atol = "ts_str_to_int",
  atoll = "ts_str_to_int", gets = "fgets", localtime = "localtime_r", gmtime = "gmtime_r",
  ctime = "ts_clock_format", asctime = "ts_clock_format", system = "posix_spawn",
  popen = "posix_spawn", alloca = "malloc", mktemp = "mkstemp", tmpnam = "mkstemp",
  rand = "randombytes or getrandom", srand = "randombytes or getrandom", longjmp = "a return",
  setjmp = "a return",
}

-- Called in these files only; tests are programs of their own and may exit.
local only = {
  exit = { "host/cli/main.c" },
  quick_exit = {},
  lua_resume = { "bindings/sched.c", "bindings/coroutine.c" },
}

-- A signal handler has no argument to reach its owner by, and neither have libcurl's callbacks for
-- memory.
local may_hold_state = { ["host/net/signals.c"] = true, ["host/net/memory.c"] = true }

local function is_test(path)
  return path:find("^tests/") ~= nil
end

local function check_calls(path, line, text)
  for before, name in text:gmatch("()%f[%w_]([%a_][%w_]*)%s*%(") do
    local is_member = text:sub(1, before - 1):find("[.>]%s*$")
    if never[name] and not is_member then
      source.report(path, line, "%s is banned; use %s", name, never[name])
    elseif only[name] and not is_member and not is_test(path) then
      local allowed = table.concat(only[name], ", ")
      if not (", " .. allowed .. ", "):find(", " .. path .. ", ", 1, true) then
        source.report(path, line, "%s may be called only in %s", name,
          allowed == "" and "no file" or allowed)
      end
    end
  end
end

-- State that outlives a call belongs to a struct that somebody owns.
local function check_state(path, line, text)
  if is_test(path) or may_hold_state[path] then
    return
  end
  local is_const = text:find("%f[%w_]const%f[^%w_][^*]*$")
    or text:find("%f[%w_]const%f[^%w_][^*=]*[=;%[]") or text:find("%f[%w_]_Static_assert")
  local is_static = text:find("^%s*static%s") and not text:find("^%s*static%s+inline%s")
  local is_function = text:find("^%s*static%s[^=;]*%(") and not text:find("%(%s*%*")
  if is_static and not is_function and not is_const then
    source.report(path, line, "mutable static; give it an owner")
  end
  if text:find("^%s*_Thread_local%s") or text:find("%f[%w_]__thread%f[^%w_]") then
    source.report(path, line, "mutable thread-local; give it an owner")
  end
  if text:find("^extern%s") and not is_const and not text:find("%(") then
    source.report(path, line, "mutable global; give it an owner")
  end
  -- At the left margin of a source: "int count = 0;", but not "struct ts_loop;".
  local kind = text:match("^([%a_][%w_%s*]-)[%s*]+[%a_][%w_]*%s*[=;%[]")
  local is_other = kind and (kind:find("^struct$") or kind:find("^enum$") or kind:find("^union$")
    or kind:find("^typedef%f[^%w_]") or kind:find("^extern%f[^%w_]"))
  if path:find("%.c$") and kind and not is_other and not is_const and not is_static then
    source.report(path, line, "mutable global; give it an owner")
  end
end

for _, path in ipairs(source.files("%.[ch]$")) do
  for line, text in source.lines(source.strip_c(source.read(path))) do
    check_calls(path, line, text)
    check_state(path, line, text)
    -- A function type may return one of them.
    -- Names that are put together pass by every check that looks for them.
    if text:find("##", 1, true) and not is_test(path) then
      source.report(path, line, "names are not pasted together; write them out")
    end
    if text:find("^%s*typedef%s+struct[^(]*$") or text:find("^%s*typedef%s+enum[^(]*$") then
      source.report(path, line, "structs and enums are not hidden behind a typedef")
    end
  end
  for line, text in source.lines(source.read(path)) do
    if text:find("NOLINT") and not text:find("NOLINT[A-Z]*%([%w%-.,_ ]+%)") then
      source.report(path, line, "NOLINT without the name of a check")
    end
    if text:find("clang%-format off") then
      source.report(path, line, "clang-format is not switched off")
    end
  end
end
source.finish()
