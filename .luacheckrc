-- Plain Lua 5.4 and nothing else: modules come through require, globals are strict.
std = "lua54"
max_line_length = 120
codes = true

-- Type stubs declare what C implements: bodies are empty and arguments unused.
files["docs/meta"] = { ignore = { "211", "212", "213", "241" } }
