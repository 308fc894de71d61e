# SPDX-License-Identifier: MIT
"""What a run says while the rate budget holds its requests back: why, until when, what to do."""

import json
import sqlite3
import struct
import unittest

import slow_server
from host import TOKEN, Case, Sandbox

class Waiting(Case):
    def test_a_long_wait_is_told_once(self):
        with Sandbox("--rate", "60/30") as sandbox:
            code = "task.each(function() return 1 end, function() widgets.all() end)"
            done = self.lua(code, "--deadline", "3", sandbox=sandbox)
            told = [line for line in done.lines if "rate budget used up" in line]
            self.assertEqual(len(told), 1, done)
            self.assertRegex(told[0], r"used up \(\d+ of 60 in 30 s\); going on in \d+ s")
            self.assertNotIn(429, [status for _, status in sandbox.requests()])

    def test_others_do_not_wait_for_a_budget_that_is_used_up(self):
        with Sandbox("--rate", "60/30") as sandbox:
            sitekey = sandbox.create()["sitekey"]
            token = self.home / "token"
            token.write_text(TOKEN, encoding="utf-8")
            code = f"""
              local spent = task.spawn(function()
                task.each(function() return 1 end, function() widgets.get('{sitekey}') end)
              end)
              for _ = 1, 5 do
                local verdict = turnstile.siteverify {{ secret = "x", response = "y" }}
                print(verdict.success)
              end
              os.exit(0)"""
            done = self.lua(code, "--concurrency", "4", sandbox=sandbox)
            self.assertEqual(done.out, "false\n" * 5, done)

    def test_a_pause_is_told_once(self):
        with Sandbox("--rate", "1200/300") as sandbox:
            sitekey = sandbox.create()["sitekey"]
            sandbox.fault(op="get", kind="429", retry_after=90)
            code = f"task.each({{ 1, 2, 3 }}, function() widgets.get('{sitekey}') end)"
            done = self.lua(code, "--deadline", "1", sandbox=sandbox)
            told = [line for line in done.lines if "asks for a pause" in line]
            self.assertEqual(len(told), 1, done)
            self.assertRegex(told[0], r"going on in 1 min \d+ s$")


class Unknown(Case):
    """The record of earlier requests cannot be used, and the server tells nothing."""

    def setUp(self):
        super().setUp()
        self.server = self.enterContext(slow_server.Server())
        self.environ = {"TSHOST_STATE": str(self.home / "state")}
        self.file = self.home / "state" / "rate.db"
        self.get(1)

    def get(self, count, *options):
        code = f"""
          local items = {{}}
          for i = 1, {count} do items[i] = i end
          task.each(items, function() assert(widgets.get("0x4AAAAAAAAAAAAAAAAAAAAA")) end,
            {{ progress = "Reading", concurrency = 2 }})"""
        done = self.lua(code, *options, sandbox=self.server, environment=self.environ)
        self.assert_status(done, 0)
        return done

    def set_version(self, version):
        with sqlite3.connect(self.file) as store:
            [[key, value]] = store.execute("SELECT key, value FROM record")
            store.execute("UPDATE record SET value = ? WHERE key = ?",
                          (struct.pack("=I", version) + value[4:], key))
        store.close()

    def check_told(self, version, why):
        self.set_version(version)
        done = self.get(4, "--progress", "never")
        self.assertEqual(len(done.lines), 1, done)
        self.assertIn(f"rate budget: the record of earlier requests {why}", done.err)
        self.assertRegex(done.err, r"one goes at a time for up to 4 min \d+ s")
        self.assertIn(f"remove {self.file} and start again", done.err)

    def test_a_record_of_another_version(self):
        self.check_told(2, "is of another version of tshost")

    def test_a_damaged_record(self):
        self.check_told(0xFFFFFFFF, "is damaged")

    def test_removing_the_file_helps(self):
        self.set_version(2)
        self.file.unlink()
        self.assertEqual(self.get(20, "--progress", "never").err, "")

    def test_quiet_says_nothing(self):
        self.set_version(2)
        self.assertEqual(self.get(4, "--quiet").err, "")

    def test_json_carries_the_reason(self):
        self.set_version(2)
        done = self.get(4, "--progress", "json")
        events = [json.loads(line) for line in done.lines if line.startswith("{")]
        self.assertIsNone(events[0]["reason"])
        held = [event for event in events if event["reason"]]
        self.assertEqual({event["reason"] for event in held}, {"version"}, done)
        self.assertGreater(held[0]["waiting"], 200)

    def test_doctor_tells_it(self):
        self.set_version(2)
        done = self.run_tshost("doctor", sandbox=self.server, environment=self.environ)
        self.assertIn("the record of earlier requests is of another version", done.out)


if __name__ == "__main__":
    unittest.main()
