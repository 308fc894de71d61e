# SPDX-License-Identifier: MIT
"""scripts/snapshot.lua as a user runs it: what is dumped, what is asked, and what becomes of files."""

import json
import os
import unittest

from host import ACCOUNT, SECRET, Case, Sandbox

TIME = "2026-01-01T00:00:00Z"


class Snapshot(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())

    def take(self, *arguments, status=0):
        done = self.run_tshost("snapshot.lua", *arguments, sandbox=self.sandbox)
        self.assert_status(done, status)
        return done

    def fill(self, count):
        self.sandbox.ask("POST", f"/sandbox/accounts/{ACCOUNT}/widgets", {"result": [
            {"sitekey": f"0x4AAAAAAA{(number * 7919) % 100003:015d}", "name": f"w{number}",
             "domains": ["b.example", "a.example"], "mode": "managed", "created_on": TIME,
             "modified_on": TIME}
            for number in range(count)]})

    def test_all_that_is_known_but_secrets(self):
        for name in ("one", "two", "three"):
            self.sandbox.create(name, [f"{name}.example"])
        done = self.take()
        self.assertEqual(done.err, "3 widgets\n")
        self.assertNotRegex(done.out, SECRET)
        known = sorted(self.sandbox.widgets(), key=lambda widget: widget["sitekey"])
        for widget in known:
            widget.pop("secret", None)
        self.assertEqual(json.loads(done.out)["widgets"], known)

    def test_the_same_fleet_is_the_same_text(self):
        self.fill(2500)
        first = self.take().out
        self.sandbox.ask("DELETE", "/sandbox/requests")
        self.assertEqual(self.take().out, first)
        self.assertEqual([op for op, _ in self.sandbox.requests()], ["list"] * 3)
        lines = first.splitlines()
        self.assertEqual(len(lines), 2502)
        self.assertEqual(lines[1:-1], sorted(lines[1:-1], key=lambda line: line.rstrip(",")))

    def test_a_file_is_replaced_as_a_whole(self):
        self.fill(3)
        path = self.home / "fleet.json"
        path.write_text("of yesterday", encoding="utf-8")
        self.assertEqual(self.take("-o", path).out, "")
        self.assertEqual(path.read_text(encoding="utf-8"), self.take().out)
        self.assertEqual(os.listdir(self.home).count("fleet.json"), 1)
        self.assertEqual([name for name in os.listdir(self.home) if name.endswith(".new")], [])

    def test_a_file_that_cannot_be_written(self):
        self.fill(3)
        (self.home / "taken").mkdir()
        for path in (self.home / "nowhere" / "fleet.json", self.home / "taken", "/dev/full/x"):
            done = self.take("-o", path, status=1)
            self.assertRegex(done.err, rf"\Atshost snapshot.lua: cannot write {path}: [^\n]+\n\Z")
        self.assertEqual([name for name in os.listdir(self.home) if name.endswith(".new")], [])

    def test_a_list_that_ends_early_is_no_snapshot(self):
        self.fill(2500)
        path = self.home / "fleet.json"
        self.sandbox.fault(op="list", nth=2, kind="502", times=1000)
        done = self.run_tshost("--max-wait", "0", "snapshot.lua", "-o", path, sandbox=self.sandbox)
        self.assert_status(done, 9)
        self.assertFalse(path.exists())


if __name__ == "__main__":
    unittest.main()
