# SPDX-License-Identifier: MIT
"""After a day's work, every output, log and file is searched for the token and every secret, and so
is what a core dump would hold: they are in the files made for them, readable by their owner alone,
and nowhere else."""

import base64
import re
import resource
import signal
import stat
import subprocess
import sys
import unittest
from pathlib import Path

from host import ACCOUNT, IS_SANITIZED, TOKEN, Case, Sandbox

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


# Secrets of the account and secrets that are yet to be go everywhere they may.
PLANNED = """
local w = assert(widgets.create { name = "new", domains = { "n.example" }, mode = "managed" })
assert(w.secret:write(arg[1] .. "/new"))
for _, old in ipairs(widgets.all {}) do
  local full = assert(widgets.get(old))
  assert(full.secret:pipe { "cat" })
  assert(widgets.update(full, { name = full.name .. " again" }))
  if full.name == "acme" then
    assert(widgets.rotate_secret(full).secret:write(arg[1] .. "/acme", { replace = true }))
  elseif full.name == "bolt" then
    assert(widgets.delete(full))
  end
end
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
            environment=self.places_to_write())
        self.said.append((done.out + done.err).encode())
        return done

    def places_to_write(self):
        return {"TMPDIR": str(self.home / "tmp"), "XDG_STATE_HOME": str(self.home / "state")}

    def look(self, *arguments):
        done = self.run_tshost(*arguments, environment=self.places_to_write())
        self.assert_status(done, 0)
        self.said.append((done.out + done.err).encode())

    def plan(self, sandbox, script):
        """The plan of work that has secrets, in a file and as it is shown."""
        file = self.home / "plan.json"
        done = self.run_tshost(
            "plan", "-o", file, "--allow", "delete,rotate", "--verbose", "--token-file", self.token_file, "--account", ACCOUNT,
            "--base-url", sandbox.url, script, self.secrets, environment=self.places_to_write())
        self.said.append((done.out + done.err).encode())
        self.assert_status(done, 3)
        self.assertIn('"rotate"', file.read_text(encoding="utf-8"))

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
        """How it could be written: as it is, as numbers, or encoded, also as a part of more."""
        found = {value, value.hex().encode(), value.hex().upper().encode(),
                 value.decode().encode("utf-16-le"), b"".join(b"%%%02X" % byte for byte in value),
                 b"".join(b"\\u%04x" % byte for byte in value),
                 b",".join(b"%d" % byte for byte in value), value[::-1]}
        for shift in range(3):  # base64 works in threes: what stands before moves it
            text = base64.b64encode(bytes(shift) + value)
            part = text[4 if shift else 0:len(text) - 4]
            found |= {part, part.translate(bytes.maketrans(b"+/", b"-_"))}
        return found

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
            self.plan(sandbox, self.lua_script(PLANNED, "planned.lua"))
            for option in ([], ["--json"], ["last"], ["last", "--json"], ["--verify"]):
                self.look("log", *option)
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
        looked_at = {path.name for path in (self.home / "state" / "tshost").iterdir()}
        self.assertLessEqual({"journal.db", "journal.db-wal", "journal.db-shm", "rate.db"}, looked_at)
        self.assertTrue(any(name.startswith("lock-") for name in looked_at), looked_at)
        self.assertEqual(found - {self.token_file}, set(self.secrets.iterdir()))
        for path in self.secrets.iterdir():
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)
        self.assertEqual(list((self.home / "tmp").iterdir()), [])

    def kill(self, sandbox, script):
        """SIGKILL right after a widget was made: what a crash leaves is searched as well."""
        process = self.start("--token-file", self.token_file, "--account", ACCOUNT, "--base-url",
                             sandbox.url, script, self.secrets, environment=self.places_to_write())
        process.wait_for_line()
        process.process.kill()
        done = process.finish()
        self.said.append((done.out + done.err).encode())


# Has had 20 secrets through its hands, by all ways there are, and waits.
HOLD = """
local kept = {}
for i = 1, 20 do
  local fields = { name = "w" .. i, domains = { "a.example" }, mode = "managed" }
  local w = assert(widgets.create(fields))
  assert(w.secret:write(arg[1] .. "/" .. i))
  assert(w.secret:pipe { "sha256sum" })
  kept[i] = assert(widgets.get(w))
end
print "up"
io.stdout:flush()
io.read "l"
"""


# The other one stands in the program itself, as that of a plain --sandbox.
MADE_UP = "made-up-token-of-nobody-0123456789abcdef"


def memory_of(pid):
    """What a core dump would have of a process, and what it would leave out ("dd")."""
    dumped, left_out = [], []
    text = Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8", errors="replace")
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, flags in re.findall(
                r"^([0-9a-f]+)-([0-9a-f]+) .*?^VmFlags: ([^\n]*)", text, re.M | re.S):
            try:
                memory.seek(int(begin, 16))
                data = memory.read(int(end, 16) - int(begin, 16))
            except (OSError, OverflowError, ValueError):
                continue  # of the kernel's own
            (left_out if "dd" in flags.split() else dumped).append(data)
    return b"".join(dumped), b"".join(left_out)


class Cores(Case):
    def hold(self, sandbox, **more):
        """A run that waits, with its token from a file: an environment is no place to hide one."""
        secrets = self.home / "secrets"
        secrets.mkdir(exist_ok=True)
        token_file = self.home / "token"
        token_file.write_text(MADE_UP + "\n")
        script = self.script('local widgets = require "turnstile".widgets ' + HOLD)
        run = self.start("--token-file", token_file, "--account", ACCOUNT, "--base-url",
                         sandbox.url, script, secrets, stdin=subprocess.PIPE, **more)
        self.assertEqual(run.wait_for_line(), "up")
        return run, {path.read_bytes() for path in secrets.iterdir()} | {MADE_UP.encode()}

    @unittest.skipIf(IS_SANITIZED, "the sanitizers keep what was freed")
    def test_what_a_dump_would_hold(self):
        with Sandbox("--token", MADE_UP) as sandbox:
            run, values = self.hold(sandbox)
            dumped, left_out = memory_of(run.process.pid)
        self.assertEqual(len(values), 21)
        self.assertGreater(len(dumped), 1000000)
        for value in values:
            self.assertTrue(value in left_out)  # the search does find
            self.assertFalse([form for form in Leaks.forms(value) if form in dumped])

    def test_no_dump_is_written(self):
        limit = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (limit[1], limit[1]))
        try:
            if not self.leaves_a_dump([sys.executable, "-c", "import os; os.abort()"]):
                self.skipTest("nothing leaves a core dump here")
            with Sandbox("--token", MADE_UP) as sandbox:
                for number in (signal.SIGQUIT, signal.SIGABRT):
                    place = self.home / number.name
                    place.mkdir()
                    run, _ = self.hold(sandbox, directory=place)
                    run.signal(number)
                    run.finish()
                    self.assertEqual(list(place.iterdir()), [])
                    for path in (self.home / "secrets").iterdir():
                        path.unlink()
        finally:
            resource.setrlimit(resource.RLIMIT_CORE, limit)

    def leaves_a_dump(self, command):
        place = self.home / "control"
        place.mkdir()
        subprocess.run(command, cwd=place, check=False, stderr=subprocess.DEVNULL)
        return list(place.iterdir()) != []


if __name__ == "__main__":
    unittest.main()
