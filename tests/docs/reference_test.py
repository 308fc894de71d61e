# SPDX-License-Identifier: MIT
# docs/lua-api.md and docs/errors.md name everything that docs/meta declares, and every kind of error
# happens. That docs/meta is true is proven by tests/lua/meta_test.lua.
import glob
import http.server
import os
import re
import threading
import unittest

import blocks
import host

SCRIPT = """
local turnstile = require "turnstile"
local widgets = turnstile.widgets
local FIELDS = { name = "acme", domains = { "acme.example" }, mode = "managed" }
local _, err = CALL
print(err.kind)
err:forgive "expected"
"""


def read(name):
    with open(os.path.join(blocks.ROOT, name), encoding="utf-8") as file:
        return file.read()


def declared_functions():
    """Names as the documentation writes them: the last part of the owner, and the function."""
    owners = {"failure": "err"}
    for path in glob.glob(os.path.join(blocks.ROOT, "docs/meta/*.lua")):
        for owner, mark, name in re.findall(r"^function ([\w.]+)([.:])(\w+)\(", read(path), re.MULTILINE):
            yield f"{owners.get(owner, owner)}{mark}{name}"


def table_under(text, heading):
    """The first column of the first table behind the heading, code marks taken off."""
    rows = re.findall(r"^\| `(\w+)` \|", text.partition(heading)[2].partition("\n\n## ")[0], re.MULTILINE)
    return set(rows)


class Garbage(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"garbage")

    def log_message(self, *_):
        pass


class ReferenceTest(unittest.TestCase):
    errors = read("docs/errors.md")
    stub = read("docs/meta/turnstile.lua")

    def test_every_function_has_its_place(self):
        text = read("docs/lua-api.md")
        functions = list(declared_functions())
        self.assertGreater(len(functions), 20)
        for function in functions:
            self.assertIn(f"{function}(", text)

    def test_every_heading_names_a_function_that_is_there(self):
        headings = re.findall(r"^### ([\w.:]+)\(", read("docs/lua-api.md"), re.MULTILINE)
        self.assertGreater(len(headings), 10)
        self.assertLessEqual(set(headings), set(declared_functions()))

    def test_fields_of_errors(self):
        stub = self.stub.partition("---@class turnstile.error")[2].partition("\nlocal ")[0]
        declared = set(re.findall(r"@field (\w+)", stub))
        self.assertEqual(declared, table_under(self.errors, "| Field of `err` |"))

    def declared_kinds(self):
        return set(re.findall(r'"(\w+)"', re.search(r"@field kind (.*)", self.stub)[1]))

    def expect_kind(self, kind, call, *options, **more):
        code = SCRIPT.replace("CALL", call)
        status, out, err = host.run(*(options or ("--sandbox",)), "-e", code, **more)
        self.assertEqual((0, kind), (status, out.strip()), err)
        return kind

    def at(self, url):
        return "--base-url", url, "--account", host.ACCOUNT, "--max-wait", "0"

    def test_every_kind_happens(self):
        token = {"CLOUDFLARE_API_TOKEN": host.TOKEN}
        get = 'widgets.get "0x4gone"'
        seen = {
            self.expect_kind("api", get),
            self.expect_kind("refused", "widgets.create(FIELDS)", "--sandbox", "--read-only"),
            self.expect_kind("io", 'widgets.create(FIELDS).secret:write "/nowhere/secret"'),
        }
        conflict = """(function()
            local w = widgets.create(FIELDS)
            require "turnstile".client {}.widgets.update(w.sitekey, { name = "theirs" })
            return widgets.update(w, { name = "ours" })
        end)()"""
        seen.add(self.expect_kind("stale", conflict, "--sandbox", "--fresh", "0"))
        with host.Sandbox() as sandbox:
            sandbox.fail_next("get", "drop", times=5)
            seen.add(self.expect_kind("transport", get, *self.at(sandbox.url), **token))
            sandbox.fail_next("get", "502", times=5)
            seen.add(self.expect_kind("http", get, *self.at(sandbox.url), **token))
            sandbox.fail_next("get", "delay", ms=5000, times=5)
            hasty = ("--timeout", "0.1", *self.at(sandbox.url))
            seen.add(self.expect_kind("timeout", get, *hasty, **token))
        with http.server.HTTPServer(("127.0.0.1", 0), Garbage) as server:
            threading.Thread(target=server.handle_request, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_port}/client/v4"
            seen.add(self.expect_kind("decode", get, *self.at(url), **token))
        self.assertEqual(self.declared_kinds(), seen | {"cancelled"})
        self.assertEqual(self.declared_kinds(), table_under(self.errors, "\n## Kinds\n"))

    def test_a_cancelled_task_hears_it_when_it_closes(self):
        code = """
            local guard <close> = setmetatable({}, { __close = function(_, err) print(err.kind) end })
            pcall(os.exit, 0)
            print "not reached"
        """
        self.assertEqual((0, "cancelled\n", ""), host.run("-e", code))


if __name__ == "__main__":
    unittest.main()
