# SPDX-License-Identifier: MIT
"""After a day's work, every output, log and file is searched for the token and every secret: they
are in the files made for them, readable by their owner alone, and nowhere else."""

import base64
import stat
import unittest
from pathlib import Path

from host import ACCOUNT, TOKEN, Case, Sandbox

TENANTS = "name,domains\nacme,acme.example\nbolt,bolt.example shop.bolt.example\n"

WORK = """
local cjson = require "cjson"
local dir = arg[1]
local seen = {}
for _, w in ipairs(widgets.all {}) do
  local full = assert(widgets.get(w))
  seen[#seen + 1] = full
  print(full.secret, tostring(full.secret) .. full.secret, ("%s"):format(full.secret))
  print(cjson.encode(full))
  io.stderr:write(tostring(full.secret), "\\n")
  local rotated = assert(widgets.rotate_secret(w, { invalidate_immediately = w.name == "acme" }))
  assert(rotated.secret:write(dir .. "/" .. w.name, { replace = true }))
  assert(rotated.secret:pipe { "sha256sum" })
  print(rotated.secret == full.secret)
  local _, refused = rotated.secret:write(dir .. "/" .. w.name)
  print(refused)
  print(turnstile.siteverify { secret = rotated.secret, response = "not-a-token" }.success)
  print(select(2, rotated.secret:reveal()))
end
print(select(2, widgets.get "0x4AAAAAAAAAAAAAAAAAAAAA"))
print(pcall(error, seen[1].secret))
task.spawn(function() error(seen[2].secret) end)
error(seen[1])
"""

FORGOTTEN = """
local w = assert(widgets.create { name = "slow", domains = { "s.example" }, mode = "managed" })
print "made"
io.stdout:flush()
assert(w.secret:write(arg[1] .. "/slow"))
assert(widgets.get(w))
"""


class Leaks(Case):
    def setUp(self):
        super().setUp()
        for name in ("server", "tmp", "state"):
            (self.home / name).mkdir()
        self.secrets = self.home / "secrets"
        self.token_file = self.home / "token"
        self.token_file.write_text(TOKEN + "\n")
        self.said = []

    def work(self, sandbox, *arguments):
        done = self.run_tshost(
            "--verbose", "--allow", "rotate", "--token-file", self.token_file,
            "--account", ACCOUNT, "--base-url", sandbox.url, *arguments,
            environment={"TMPDIR": str(self.home / "tmp"),
                         "XDG_STATE_HOME": str(self.home / "state")})
        self.said.append((done.out + done.err).encode())
        return done

    def lua_script(self, code, name):
        return self.script('local turnstile, task = require "turnstile", require "task"; '
                           "local widgets = turnstile.widgets; " + code, name)

    def values(self, sandbox):
        """The token and every secret that is alive or lies in a file."""
        found = {TOKEN.encode()}
        for widget in sandbox.widgets():
            path = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets/{widget['sitekey']}"
            found.add(sandbox.ask("GET", path)["secret"].encode())
        return found | {path.read_bytes() for path in self.secrets.iterdir()}

    @staticmethod
    def forms(value):
        return {value, value.hex().encode(), base64.b64encode(value).rstrip(b"=")}

    def places(self, values):
        """The files, and None for an output, that hold one of the values in one of its forms."""
        texts = [(None, text) for text in self.said]
        texts += [(path, path.read_bytes()) for path in self.home.rglob("*") if path.is_file()]
        return {where for where, text in texts
                if any(form in text for value in values for form in self.forms(value))}

    def test_nothing_is_left_lying_about(self):
        tenants = self.script(TENANTS, "tenants.csv")
        work = self.lua_script(WORK, "work.lua")
        forgotten = self.lua_script(FORGOTTEN, "forgotten.lua")
        onboard = ("onboard.lua", tenants, "--secrets-dir", self.secrets)
        with Sandbox("--db", self.home / "server" / "account.db", "--log") as sandbox:
            self.assert_status(self.work(sandbox, *onboard), 0)
            self.assert_status(self.work(sandbox, *onboard, "--format", "json"), 0)
            first = self.values(sandbox)
            self.assertEqual(len(first), 3)
            self.assert_status(self.work(sandbox, work, self.secrets), 5)  # reveal was refused
            self.kill(sandbox, forgotten)
            self.work(sandbox, "-e", "error(require 'turnstile'.widgets.create {})")
            for option in ("--account", "--token-file"):
                done = self.run_tshost(option, TOKEN, "-e", "require 'turnstile'.widgets.all()")
                self.said.append(done.err.encode())
            values = first | self.values(sandbox)
            self.said.append(sandbox._process.said().encode())
        self.assertGreaterEqual(len(values), 6)
        server = {path for path in (self.home / "server").iterdir()}
        found = self.places(values) - server
        self.assertIn(self.secrets / "acme", found)  # the search does find
        self.assertEqual(found - {self.token_file}, set(self.secrets.iterdir()))
        for path in self.secrets.iterdir():
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)
        self.assertEqual(list((self.home / "tmp").iterdir()), [])

    def kill(self, sandbox, script):
        """SIGKILL right after a widget was made: what a crash leaves is searched as well."""
        process = self.start("--token-file", self.token_file, "--account", ACCOUNT, "--base-url",
                             sandbox.url, script, self.secrets,
                             environment={"TMPDIR": str(self.home / "tmp")})
        process.wait_for_line()
        process.process.kill()
        done = process.finish()
        self.said.append((done.out + done.err).encode())


if __name__ == "__main__":
    unittest.main()
