# SPDX-License-Identifier: MIT
"""scripts/snapshot.lua and diff.lua as a user runs them: what is dumped and asked, what becomes of
files, and what is told of their differences."""

import json
import os
import unittest

from host import ACCOUNT, SECRET, Case, Sandbox

TIME = "2026-01-01T00:00:00Z"


class Bed(Case):
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


class Snapshot(Bed):
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


class Difference(Bed):
    def setUp(self):
        super().setUp()
        self.old = self.home / "old.json"

    def diff(self, *arguments, status=3):
        done = self.run_tshost("--read-only", "diff.lua", self.old, *arguments, "--format", "json",
                               sandbox=self.sandbox)
        self.assert_status(done, status)
        return json.loads(done.out) if done.out else done.err

    def change(self, code):
        self.assert_status(self.lua(code, "--allow", "delete,rotate", sandbox=self.sandbox), 0)

    def test_each_kind_of_difference(self):
        kept, gone, edited = (self.sandbox.create(name, [f"{name}.example", "both.example"])["sitekey"]
                              for name in ("kept", "gone", "edited"))
        self.take("-o", self.old)
        self.change(f"""
          assert(widgets.rotate_secret("{kept}"))
          assert(widgets.delete("{gone}"))
          assert(widgets.update("{edited}", {{ name = "renamed", mode = "invisible",
            domains = {{ "new.example", "both.example" }} }}))
          assert(widgets.create {{ name = "added", mode = "managed", domains = {{ "a.example" }} }})""")
        rows = self.diff()
        self.assertEqual([(row["change"], row["name"]) for row in rows],
                         [("added", "added"), ("removed", "gone"), ("changed", "renamed")])
        self.assertEqual(rows[1]["sitekey"], gone)
        self.assertEqual({**rows[2]}, {
            "sitekey": edited, "change": "changed", "name": "renamed", "added": ["new.example"],
            "removed": ["edited.example"],
            "fields": ["mode: invisible, was managed", "name: renamed, was edited"]})
        new = self.home / "new.json"
        self.take("-o", new)
        self.sandbox.ask("DELETE", "/sandbox/requests")
        self.assertEqual(self.diff(new), rows)
        self.assertEqual(self.sandbox.requests(), [])

    def test_nothing_is_different(self):
        self.fill(3)
        self.take("-o", self.old)
        self.assertEqual(self.diff(status=0), [])
        self.assertEqual(self.diff(self.old, status=0), [])

    def test_what_is_no_snapshot(self):
        for content, why in ((None, "No such file"), ("", "no JSON"), ("{", "no JSON"),
                             ("[]", "no snapshot of tshost"),
                             (" " * ((64 << 20) + 1), "longer than 64 MiB")):
            if content is not None:
                self.old.write_text(content, encoding="utf-8")
            self.assertRegex(self.diff(status=1), rf"\Atshost diff.lua: {self.old}: .*{why}")


if __name__ == "__main__":
    unittest.main()
