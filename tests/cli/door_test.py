# SPDX-License-Identifier: MIT
"""The one door for writes: a script that uses everything there is, under --read-only and without
any grant, against a server that notes each request before it answers."""

import re
import unittest

from host import Case
from loop_server import LoopServer, envelope

SITEVERIFY = "POST /turnstile/v0/siteverify"
KEYS = [f"0x4{number:021}" for number in range(3)]


class Recorder(LoopServer):
    """Answers whatever is asked, and keeps method and path of every request."""

    def __init__(self):
        super().__init__()
        self.seen = []

    async def talk(self, reader, writer):
        while head := (await reader.readuntil(b"\r\n\r\n")).decode():
            self.seen.append(head.split("?")[0].rsplit(" HTTP/", 1)[0])
            length = re.search(r"(?i)content-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            writer.write(self.answer(*self.seen[-1].split(" ")))

    @staticmethod
    def answer(method, path):
        widgets = [{"sitekey": key, "name": "acme", "mode": "managed", "domains": ["a.example"],
                    "secret": key + "-made-up-secret", "created_on": "2026-01-01T00:00:00Z",
                    "modified_on": "2026-01-01T00:00:00Z"} for key in KEYS]
        if method == "GET" and path.endswith("/widgets"):
            return envelope(widgets, result_info={"total_count": 3, "per_page": 1000, "page": 1})
        return envelope(next((w for w in widgets if w["sitekey"] in path), widgets[0]))


# Each function of the module by its name, with how it is called. What could write stands on a line
# of its own, marked with what should become of it.
SCRIPT = f"""
local FIELDS = {{ name = "new", domains = {{ "new.example" }}, mode = "managed" }}
local function read(value, err) return assert(value, err) end
local function write(value, err)
  if not value then print(err.kind, err.op) end
  return value, err
end
local listed = widgets.all()
local other = turnstile.client {{}}

-- For two clients: each is refused twice.
local function functions_of(w, all, key)
  return {{
    list = function() for row in w.list() do read(row) end end,
    all = function() read(w.all {{ filter = "name:acme" }}) end,
    get = function() read(w.get(key)) end,
    create = function()
      write(w.create(FIELDS)) --> create create
    end,
    update = function()
      write(w.update(key, {{ name = "renamed" }})) --> update update
      write(w.update(all[1], {{ domains = {{ add = {{ "more.example" }} }} }})) --> update update
      write(w.update(all[2], {{ domains = {{}} }})) --> update update
      read(w.update(all[1], {{ name = all[1].name }})) -- changes nothing, and is no write
    end,
    delete = function()
      write(w.delete(key)) --> delete delete
      write(w.delete(all[1])) --> delete delete
    end,
    rotate_secret = function()
      write(w.rotate_secret(key)) --> rotate_secret rotate_secret
      write(w.rotate_secret(all[1], {{ invalidate_immediately = true }})) --> rotate_secret rotate_secret
    end,
  }}
end

local calls = {{
  widgets = functions_of(widgets, listed, "{KEYS[2]}"),
  ["client.widgets"] = functions_of(other.widgets, other.widgets.all(), "{KEYS[2]}"),
  turnstile = {{
    widgets = true, client = true, -- tried above
    allowance = function() read(turnstile.allowance "create") end,
    budget = function() read(turnstile.budget()) end,
    estimate = function() read(turnstile.estimate(5)) end,
    siteverify = function() turnstile.siteverify {{ secret = "x", response = "y" }} end,
  }},
  client = {{
    widgets = true,
    budget = function() read(other.budget()) end,
    estimate = function() read(other.estimate(5)) end,
  }},
  secret = {{
    write = function()
      write(listed[1].secret:write "delivered") --> secret:write
    end,
    pipe = function()
      write(listed[1].secret:pipe {{ "sh", "-c", "cat > piped" }}) --> secret:pipe
    end,
    reveal = function()
      write(listed[1].secret:reveal()) --> secret:reveal
    end,
  }},
}}

local function use(what, module)
  for name in pairs(module) do
    assert(calls[what][name], "nobody calls " .. what .. "." .. name)
  end
  for name, call in pairs(calls[what]) do
    assert(module[name], "there is no " .. what .. "." .. name)
    if call ~= true then call() end
  end
end
use("widgets", widgets)
use("client.widgets", other.widgets)
use("turnstile", turnstile)
use("client", other)
use("secret", debug.getmetatable(listed[1].secret).__index)

-- Other ways to come there.
task.spawn(function()
  write(widgets.delete "{KEYS[0]}") --> delete
end):await()
task.each({{ 1, 2 }}, function()
  write(widgets.create(FIELDS)) --> create create
end)
coroutine.wrap(function()
  write(widgets.update("{KEYS[0]}", {{ mode = "invisible" }})) --> update
end)()
do
  local guard <close> = setmetatable({{}}, {{ __close = function()
    write(widgets.delete "{KEYS[2]}") --> delete
  end }})
end
assert(not pcall(error))
local create = widgets.create
widgets = nil
debug.setmetatable(1, {{ __index = function()
  write(create(FIELDS)) --> create
end }})
local _ = (1).x
"""


class Door(Case):
    def setUp(self):
        super().setUp()
        self.server = self.enterContext(Recorder())
        self.script_file = self.script(
            'local turnstile, task = require "turnstile", require "task"\n'
            "local widgets = turnstile.widgets\n" + SCRIPT)

    def run_with(self, status, *options):
        done = self.run_tshost("--json", *options, self.script_file, sandbox=self.server.url)
        self.assert_status(done, status)
        return done

    def expected(self, *but):
        """Line and operation of each refusal."""
        return sorted((number, operation)
                      for number, line in enumerate(self.script_file.read_text().splitlines(), 1)
                      for operation in line.partition("-->")[2].split() if operation not in but)

    def refused(self, done):
        return sorted((failure["line"], failure["op"]) for failure in done.summary["failures"]
                      if failure["kind"] == "refused")

    def files(self):
        """What is there, the script and the shared count of requests left out."""
        return {str(path.relative_to(self.home)) for path in self.home.rglob("*")
                if path.is_file() and path != self.script_file
                and not path.name.startswith("rate.db")}

    def requests(self):
        """Those that arrived, but for the question that siteverify asks by POST."""
        self.assertIn(SITEVERIFY, self.server.seen)
        return {request for request in self.server.seen if request != SITEVERIFY}

    def test_the_script_writes_where_it_may(self):
        """Else the other tests would prove nothing."""
        self.run_with(0, "--allow", "delete,rotate,any-hostname,reveal")
        methods = {request.split(" ")[0] for request in self.requests()}
        self.assertEqual(methods, {"GET", "POST", "PUT", "DELETE"})
        self.assertLessEqual({"delivered", "piped"}, self.files())

    def test_read_only(self):
        done = self.run_with(5, "--read-only", "--allow", "delete,rotate,any-hostname")
        self.assertEqual({request.split(" ")[0] for request in self.requests()}, {"GET"})
        self.assertEqual(self.files(), set())
        self.assertEqual(self.refused(done), self.expected())
        self.assertEqual(done.summary["counts"]["refused"], len(self.expected()))
        for figure in ("created", "updated", "deleted", "rotated", "failed", "written", "piped"):
            self.assertEqual(done.summary["counts"][figure], 0, figure)
        # Everything but revealing is refused for that reason, and each refusal told to the script.
        self.assertEqual(done.err.count("--read-only"), len(self.expected()) - 1)
        self.assertEqual(done.out.count("refused"), len(self.expected()))

    def test_nothing_granted(self):
        done = self.run_with(5, "--max-create", "0", "--max-update", "0")
        self.assertEqual({request.split(" ")[0] for request in self.requests()}, {"GET"})
        self.assertLessEqual({"delivered", "piped"}, self.files())
        self.assertEqual(self.refused(done), self.expected("secret:write", "secret:pipe"))
        for option in ("--max-create 1", "--max-update 1", "--allow delete", "--allow rotate",
                       "--allow reveal", "--allow any-hostname"):
            self.assertIn(option, done.err)


if __name__ == "__main__":
    unittest.main()
