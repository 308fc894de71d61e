-- SPDX-License-Identifier: MIT
-- Which room may include which, and which library's headers belong to which rooms.
-- CONTRIBUTING.md draws the picture; this is what is enforced.
local table_of = {}

-- A room may include itself, these rooms, and nothing else of ours.
table_of.rooms = {
  ["host/base"] = {},
  ["host/net"] = { "host/base" },
  ["host/state"] = { "host/base" },
  ["host/api"] = { "host/base", "host/net" },
  ["host/ops"] = { "host/base", "host/net", "host/api", "host/state" },
  ["host/sandbox"] = { "host/base" },
  ["bindings"] = { "host/base", "host/net", "host/api", "host/ops" },
  ["host/runtime"] = {
    "host/base", "host/net", "host/api", "host/state", "host/ops", "host/sandbox", "bindings",
  },
  ["host/cli"] = { "host/base", "host/runtime" },
}

-- Headers of libraries, as Lua patterns, and the only rooms that may include them.
table_of.libraries = {
  ["^sodium%.h$"] = { "host/base" },
  ["^sodium/"] = { "host/base" },
  ["^curl/"] = { "host/net" },
  ["^openssl/"] = { "host/net" },
  ["^sqlite3%.h$"] = { "host/state", "host/sandbox" },
  ["^microhttpd%.h$"] = { "host/sandbox" },
  ["^lua%.h$"] = { "bindings", "host/runtime" },
  ["^lauxlib%.h$"] = { "bindings", "host/runtime" },
  ["^lualib%.h$"] = { "bindings", "host/runtime" },
  ["^luaconf%.h$"] = { "bindings" },
  ["^lua%-cjson%.h$"] = { "bindings" },
  ["^csv%.h$"] = { "bindings" },
}

-- What CMake calls the same libraries.
table_of.targets = {
  ["PkgConfig::SODIUM"] = { "host/base" },
  ["PkgConfig::CURL"] = { "host/net" },
  ["PkgConfig::OPENSSL"] = { "host/net" },
  ["PkgConfig::SQLITE"] = { "host/state", "host/sandbox" },
  ["PkgConfig::MICROHTTPD"] = { "host/sandbox" },
  ["PkgConfig::LUA"] = { "bindings", "host/runtime" },
  ["PkgConfig::CJSON"] = { "bindings", "host/runtime" },
  ["tshost_csv"] = { "bindings" },
}

-- The C library and POSIX: free for all rooms. A header in neither list is a finding.
table_of.system = {}
for name in ([[
  arpa/inet assert ctype dirent dlfcn endian errno fcntl float fnmatch getopt glob grp inttypes langinfo
  limits locale malloc math net/if netdb netinet/in netinet/tcp poll pthread pwd regex sched setjmp
  signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string
  strings sys/epoll sys/eventfd sys/file sys/ioctl sys/mman sys/pidfd sys/prctl sys/queue
  sys/random sys/resource sys/select sys/signalfd sys/socket sys/stat sys/statvfs sys/syscall
  sys/sysmacros sys/time sys/timerfd sys/types sys/un sys/utsname sys/wait syslog termios time
  threads unistd wchar wctype
]]):gmatch("%S+") do
  table_of.system[name .. ".h"] = true
end

-- Functions that one room has for one other room's use.
table_of.calls = {
  -- The API's write starter: permission, limits and journal stand before it in host/ops.
  ts_call_write = { "host/api", "host/ops" },
}

return table_of
