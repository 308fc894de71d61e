# SPDX-License-Identifier: MIT
"""What runs did is in the journal, and `tshost log` tells it."""

import json
import os
import signal
import unittest

from host import ACCOUNT, TOKEN, Case, Sandbox

MIXED = """
  local a = assert(widgets.create {
    name = "acme \\27[31m login", domains = { "a.example", "b.example" }, mode = "managed" })
  a = assert(widgets.update(a, { name = "acme",
    domains = { add = { "c.example" }, remove = { "a.example" } } }))
  a = assert(widgets.rotate_secret(a, { invalidate_immediately = true }))
  assert(a.secret:write(arg[1]))
  assert(a.secret:pipe { "cmp", "-s", "-", arg[1] })
  assert(widgets.delete(a))
  local _, err = widgets.delete(a)
  err:forgive "it is gone already"
  widgets.create { name = "one too many", domains = { "a.example" }, mode = "managed" }"""
OPERATIONS = [("create", "done"), ("update", "done"), ("rotate", "done"), ("write", "done"),
              ("pipe", "done"), ("delete", "done"), ("delete", "not_applied"),
              ("create", "refused")]


class Runs(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())

    def lines(self, *arguments, status=0):
        done = self.run_tshost("log", *arguments)
        self.assert_status(done, status)
        return [json.loads(line) for line in done.out.splitlines()]

    def files(self):
        return sorted(path.name for path in (self.home / "tshost").glob("journal*"))

    def run_mixed(self):
        code = 'local turnstile = require "turnstile"; local widgets = turnstile.widgets;' + MIXED
        done = self.run_tshost("--allow", "delete=2,rotate", "--max-create", "1", self.script(code),
                               str(self.home / "secret file"), sandbox=self.sandbox)
        self.assert_status(done, 5)

    def test_reading_leaves_nothing(self):
        self.assert_status(self.lua("widgets.all()", sandbox=self.sandbox), 0)
        self.assertEqual(self.files(), [])
        done = self.lua("widgets.create { name = 'x', domains = { 'a.example' }, mode = 'managed' }",
                        "--read-only", sandbox=self.sandbox)
        self.assert_status(done, 5)
        self.assertEqual(self.files(), [])
        done = self.run_tshost("log")
        self.assert_status(done, 0)
        self.assertEqual(done.out, "No run has written anything yet.\n")

    def test_a_rehearsal_leaves_nothing(self):
        done = self.lua("widgets.create { name = 'x', domains = { 'a.example' }, mode = 'managed' }",
                        "--sandbox")
        self.assert_status(done, 0)
        self.assertEqual(self.files(), [])

    def test_runs(self):
        self.run_mixed()
        done = self.lua("widgets.create { name = 'x', domains = { 'a.example' }, mode = 'managed' }",
                        sandbox=self.sandbox)
        self.assert_status(done, 0)
        newer, older = self.lines("--json")
        self.assertEqual((newer["command"], newer["exit"], newer["status"], newer["done"]),
                         ("run", 0, "done", 1))
        self.assertEqual((older["exit"], older["status"]), (5, "refused"))
        counts = {name: older[name] for name in ("done", "not_applied", "refused", "in_doubt")}
        self.assertEqual(counts, {"done": 6, "not_applied": 1, "refused": 1, "in_doubt": 0})
        self.assertEqual(older["script"], str(self.home / "script.lua"))
        self.assertEqual(older["account"], ACCOUNT)
        self.assertEqual(older["base_url"], self.sandbox.url)
        self.assertEqual(older["summary"]["counts"]["created"], 1)
        self.assertEqual(older["summary"]["requests"], 5)
        self.assertRegex(older["sha256"], "^[0-9a-f]{64}$")
        self.assertRegex(older["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
        table = self.run_tshost("log").out.splitlines()
        self.assertRegex(table[0], r"^run +started +command +status +done +failed +script$")
        self.assertRegex(table[1], rf"^{newer['run']} .* run +done +1 +- +script\.lua$")
        self.assertRegex(table[2], rf"^{older['run']} .* run +refused +6 +2 +script\.lua$")
        self.assertIn("1 older one", self.run_tshost("log", "--limit", "1").out)

    def test_operations(self):
        self.run_mixed()
        rows = self.lines("last", "--json")
        self.assertEqual([(row["op"], row["state"]) for row in rows], OPERATIONS)
        create, update, rotate, write, pipe, delete, gone, refused = rows
        self.assertEqual(create["body"]["domains"], ["a.example", "b.example"])
        self.assertEqual(create["after"]["name"], "acme \x1b[31m login")
        self.assertEqual(update["sitekey"], create["sitekey"])
        self.assertEqual(update["before"]["domains"], ["a.example", "b.example"])
        self.assertEqual(update["after"]["domains"], ["b.example", "c.example"])
        self.assertTrue(rotate["body"]["invalidate_immediately"])
        self.assertEqual(rotate["before_mark"], create["after_mark"])
        self.assertNotEqual(rotate["after_mark"], rotate["before_mark"])
        self.assertEqual(write["body"], {"path": str(self.home / "secret file"), "replace": False})
        self.assertEqual({write["before_mark"], pipe["before_mark"]}, {rotate["after_mark"]})
        self.assertEqual(pipe["body"]["command"][0], "cmp")
        self.assertEqual({write["sitekey"], pipe["sitekey"]}, {create["sitekey"]})
        self.assertTrue(delete["ray"] and gone["ray"])
        self.assertEqual((gone["status"], gone["forgiven"]), (404, "it is gone already"))
        self.assertRegex(refused["error"], "--max-create")
        failed = self.lines("--failed", "last", "--json")
        self.assertEqual(failed, [gone, refused])

    def test_a_run_to_be_read(self):
        self.run_mixed()
        run = self.lines("--json")[0]["run"]
        done = self.run_tshost("log", run[-4:])
        self.assert_status(done, 0)
        for line in (rf"run +{run} \(run\)", rf"account +{ACCOUNT} at http://127",
                     r"status +refused \(exit 5\), after ", r"script .*script\.lua '.*secret file'",
                     r"1 +create +done +0x4\S+ +acme \?\[31m login +script\.lua:\d",
                     r" {4}\+ name \"acme \?\[31m login\", mode \"managed\", domains a\.example b",
                     r' {4}~ name "acme \?\[31m login" → "acme"', r" {4}\+ c\.example",
                     r" {4}- a\.example", r" {4}~ the old secret ends at once",
                     r" {4}> .*/secret file", r" {4}! widget not found \(HTTP 404, CF-Ray \S+\)",
                     r" {4}forgiven: it is gone already"):
            self.assertRegex(done.out, line)
        self.assertNotIn("\x1b", done.out)
        failed = self.run_tshost("log", run, "--failed").out
        self.assertIn("widget not found", failed)
        self.assertNotIn("+ c.example", failed)

    def test_an_update_that_was_not_sent(self):
        widget = self.sandbox.create()
        done = self.lua(f"""
          local w = widgets.get "{widget["sitekey"]}"
          assert(turnstile.client {{}}.widgets.update(w.sitekey, {{ name = "theirs" }}))
          widgets.update(w, {{ name = "mine" }})""", "--fresh", "0", sandbox=self.sandbox)
        self.assert_status(done, 6)
        self.assertEqual([row["state"] for row in self.lines("last", "--json")], ["done", "stale"])
        done = self.run_tshost("log", "--failed", "last")
        self.assert_status(done, 0)
        self.assertRegex(done.out, r"2 +update +stale .*\n {4}! somebody else has changed `name`")

    def test_what_is_no_text_is_shown(self):
        """A path, an argument, a reason to forgive: one such run does not hide all others."""
        name = os.fsdecode(b"caf\xe9")
        script = self.script("""
          local widgets = require "turnstile".widgets
          local w = widgets.create { name = "a", domains = { "a.example" }, mode = "managed" }
          assert(w.secret:write(arg[1]))
          local _, err = widgets.delete(w)
          err:forgive "caf\\xe9" """, f"{name}/script.lua")
        done = self.run_tshost(script, name + "/secret", sandbox=self.sandbox)
        self.assert_status(done, 0)
        done = self.run_tshost("log")
        self.assert_status(done, 0)
        self.assertIn("script.lua", done.out)
        done = self.run_tshost("log", "last")
        self.assert_status(done, 0)
        self.assertRegex(done.out, r"script .*/caf\ufffd/script\.lua")
        self.assertRegex(done.out, r"> .*/caf\ufffd/secret")
        self.assertIn("forgiven: caf\ufffd", done.out)
        self.assertEqual(self.lines("last", "--json")[-1]["forgiven"], "caf\ufffd")

    def test_an_empty_argument_is_seen(self):
        script = self.script("""
          require "turnstile".widgets.create { name = "a", domains = {}, mode = "managed" }""")
        self.assert_status(self.run_tshost(script, "", "it's", sandbox=self.sandbox), 5)
        self.assertIn(r"script.lua '' 'it'\''s'" + "\n", self.run_tshost("log", "last").out)

    def test_a_command_that_cannot_be_written_down_gets_nothing(self):
        self.sandbox.create()
        done = self.lua("""
          local words = { "sh", "-c", "cat > got" }
          for i = 4, 1000 do words[i] = ("x"):rep(1800) end
          print(widgets.get(widgets.all()[1].sitekey).secret:pipe(words))""", sandbox=self.sandbox)
        self.assert_status(done, 4)
        self.assertIn("sh: its words are too long for the journal", done.out)
        self.assertFalse((self.home / "got").exists())

    def test_how_many_are_listed(self):
        for _ in range(3):
            self.lua("widgets.create { name = 'x', domains = {}, mode = 'managed' }",
                     sandbox=self.sandbox)
        self.assertEqual(len(self.lines("--json")), 3)
        self.assertEqual(len(self.lines("--json", "--limit", "2")), 2)
        self.assertEqual(len(self.lines("--json", "--limit", "0")), 3)

    def test_names_of_runs(self):
        self.run_mixed()
        self.assert_status(self.run_tshost("log", "nothing-like-it"), 2)
        done = self.run_tshost("log", "--failed")
        self.assert_status(done, 2)
        self.assertIn("tshost log --failed last", done.err)

    def test_a_run_that_is_killed(self):
        self.sandbox.fault(op="create", kind="delay", ms=600000)
        run = self.start(self.script("""
          local widgets = require "turnstile".widgets
          require "task".spawn(function() print "begun" end)
          widgets.create { name = "x", domains = { "a.example" }, mode = "managed" }"""),
            sandbox=self.sandbox)
        run.wait_for_line()
        while not self.sandbox.requests("create") and not self.operations_of_last():
            pass
        self.assertEqual(self.lines("--json")[0]["status"], "running")
        self.assertRegex(self.run_tshost("log", "last").out, "create +under way")
        run.signal(signal.SIGKILL)
        run.finish()
        self.assertEqual(self.lines("--json")[0]["status"], "killed")
        self.assertEqual(self.lines("--json")[0]["in_doubt"], 1)
        done = self.run_tshost("log", "last")
        self.assertRegex(done.out, "create +in doubt")
        self.assertIn("tshost resume", done.out)
        self.assertIn("0 runs removed", self.run_tshost("log", "--prune", "0m").out)

    def operations_of_last(self):
        done = self.run_tshost("log", "last", "--json")
        return done.out if done.status == 0 else ""

    def test_old_runs_are_removed(self):
        self.run_mixed()
        self.assertIn("0 runs removed", self.run_tshost("log", "--prune", "1d").out)
        self.assertIn("1 run removed", self.run_tshost("log", "--prune", "0m").out)
        self.assertEqual(self.lines("--json"), [])
        self.assert_status(self.run_tshost("log", "--prune", "soon"), 2)

    def test_verify(self):
        self.run_mixed()
        done = self.run_tshost("log", "--verify")
        self.assert_status(done, 0)
        self.assertRegex(done.out, r"journal\.db is sound\n$")
        file = self.home / "tshost" / "journal.db"
        for suffix in ("-wal", "-shm"):
            (self.home / "tshost" / ("journal.db" + suffix)).unlink(missing_ok=True)
        file.write_bytes(b"no database at all" * 500)
        done = self.run_tshost("log", "--verify")
        self.assert_status(done, 9)
        self.assertIn("journal.db", done.err)

    def test_no_secret_in_it(self):
        self.run_mixed()
        secret = (self.home / "secret file").read_bytes()
        for name in self.files():
            held = (self.home / "tshost" / name).read_bytes()
            self.assertNotIn(TOKEN.encode(), held)
            self.assertNotIn(secret, held)
        self.assertEqual({os.stat(self.home / "tshost" / name).st_mode & 0o777
                          for name in self.files()}, {0o600})


if __name__ == "__main__":
    unittest.main()
