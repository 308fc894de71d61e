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
  ["bindings"] = { "host/base", "host/net", "host/api", "host/state", "host/ops" },
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
  -- Not libraries, but ways past the door: a connection or a command of one's own.
  ["^sys/socket%.h$"] = { "host/net", "host/sandbox" },
  ["^netdb%.h$"] = { "host/net" },
  ["^spawn%.h$"] = { "host/ops" },
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
  limits locale malloc math net/if netinet/in netinet/tcp poll pthread pwd regex sched setjmp
  signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string
  strings sys/epoll sys/eventfd sys/file sys/ioctl sys/mman sys/pidfd sys/prctl sys/queue
  sys/random sys/resource sys/select sys/signalfd sys/stat sys/statvfs sys/syscall
  sys/sysmacros sys/time sys/timerfd sys/types sys/un sys/utsname sys/wait syslog termios time
  threads unistd wchar wctype
]]):gmatch("%S+") do
  table_of.system[name .. ".h"] = true
end

-- Names that only these rooms or files may use; tests may use all. Mostly they keep the door for
-- writes the only one: permission, caps and journal stand before them in host/ops.
local DELIVER_FILE = { "host/ops/deliver.h", "host/ops/deliver_file.c", "host/ops/door_deliver.c" }
local DELIVER_COMMAND = {
  "host/ops/deliver.h", "host/ops/deliver_command.c", "host/ops/door_deliver.c",
}
local REQUEST = { "host/api/call_private.h", "host/api/call_request.c", "host/api/call.c" }
table_of.calls = {
  -- A write to the API. It is refused as a read, and a request is made and begun nowhere else.
  ts_call_write = { "host/api/call.h", "host/api/call.c", "host/ops/door.c" },
  call_request_build = REQUEST,
  call_request_start = REQUEST,
  ts_xfer_start = { "host/net", "host/api/call_request.c" },
  -- A secret to a file or a command.
  ts_deliver_file = DELIVER_FILE,
  ts_deliver_command = DELIVER_COMMAND,
  posix_spawn = { "host/ops/deliver_command.c" },
  posix_spawnp = { "host/ops/deliver_command.c" },
  fork = {},
  vfork = {},
  -- Permissions are what the options say, and their uses are the door's to count.
  ts_permissions_use = { "host/ops" },
  ts_permissions_init = { "host/ops", "host/runtime" },
  ts_permissions_add = { "host/ops", "host/cli" },
  ts_permissions_cap = { "host/ops", "host/cli" },
}

return table_of
