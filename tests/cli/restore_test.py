# SPDX-License-Identifier: MIT
"""scripts/restore.lua as a user runs it: an account that was damaged is planned back, applied back and
compared; nothing is made twice."""

import json
import random
import unittest

from host import Case, Sandbox

WRITES = ("create", "update", "delete", "rotate")


class Restore(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())
        self.file = self.home / "fleet.json"
        self.keys = {name: self.sandbox.create(name, [f"{name}.example", "both.example"])["sitekey"]
                     for name in ("kept", "edited", "gone", "twin", "bystander")}
        self.keys["twin 2"] = self.sandbox.create("twin", ["second.example"])["sitekey"]
        self.assert_status(self.run_tshost("snapshot.lua", "-o", self.file, sandbox=self.sandbox), 0)

    def damage(self, code=None):
        self.assert_status(self.lua(code or f"""
          assert(widgets.update("{self.keys["edited"]}", {{ name = "other", mode = "invisible",
            domains = {{ "evil.example" }} }}))
          assert(widgets.delete("{self.keys["gone"]}"))
          assert(widgets.delete("{self.keys["twin"]}"))
          assert(widgets.create {{ name = "new", mode = "managed", domains = {{ "new.example" }} }})""",
          "--allow", "delete", sandbox=self.sandbox), 0)
        self.sandbox.ask("DELETE", "/sandbox/requests")

    def restore(self, status=0):
        done = self.run_tshost("restore.lua", self.file, "--format", "json", sandbox=self.sandbox)
        self.assert_status(done, status)
        return {row["name"]: row for row in json.loads(done.out)}

    def diff(self):
        done = self.run_tshost("--read-only", "diff.lua", self.file, "--format", "json",
                               sandbox=self.sandbox)
        return {(row["change"], row["name"]) for row in json.loads(done.out)}

    def written(self):
        return [op for op, _ in self.sandbox.requests() if op in WRITES]

    def test_planned_and_applied(self):
        self.damage()
        plan = self.home / "plan.json"
        done = self.run_tshost("plan", "-o", plan, "restore.lua", self.file, sandbox=self.sandbox)
        self.assert_status(done, 3)
        self.assertIn("gone", done.out)
        self.assertEqual(self.written(), [])
        self.assert_status(self.run_tshost("apply", plan, sandbox=self.sandbox), 0)
        self.assertEqual(sorted(self.written()), ["create", "create", "update"])
        self.assertEqual(self.diff(), {("removed", "gone"), ("added", "gone"), ("removed", "twin"),
                                       ("added", "twin"), ("added", "new")})

    def test_what_was_done_is_told(self):
        self.damage()
        rows = self.restore()
        self.assertEqual({name: row["result"] for name, row in rows.items()},
                         {"edited": "set back", "gone": "made anew", "twin": "made anew",
                          "new": "left alone"})
        self.assertEqual(rows["gone"]["sitekey"], self.keys["gone"])
        live = {widget["name"]: widget for widget in self.sandbox.widgets()}
        self.assertEqual(rows["gone"]["new_sitekey"], live["gone"]["sitekey"])
        self.assertEqual(live["edited"]["mode"], "managed")

    def test_a_second_time_makes_nothing(self):
        self.damage()
        self.restore()
        self.sandbox.ask("DELETE", "/sandbox/requests")
        self.assertEqual({name: row["result"] for name, row in self.restore().items()},
                         {"new": "left alone"})
        self.assertEqual(self.written(), [])

    def test_nothing_to_do(self):
        self.sandbox.ask("DELETE", "/sandbox/requests")
        self.assertEqual(self.restore(), {})
        self.assertEqual(self.written(), [])

    def test_another_of_that_name(self):
        self.damage(f"""
          assert(widgets.delete("{self.keys["gone"]}"))
          assert(widgets.create {{ name = "gone", mode = "managed", domains = {{ "x.example" }} }})""")
        rows = self.run_tshost("restore.lua", self.file, "--format", "json", sandbox=self.sandbox)
        self.assert_status(rows, 3)
        told = [row for row in json.loads(rows.out) if row["sitekey"] == self.keys["gone"]]
        self.assertEqual([row["result"] for row in told], ["ambiguous"])
        self.assertEqual(self.written(), [])

    def test_random_damage(self):
        """Whatever was done to the fleet: what differs afterwards are sitekeys, and strangers."""
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        code = []
        for name, key in self.keys.items():
            code.append(chance.choice([
                f'assert(widgets.delete("{key}"))', "",
                f'assert(widgets.update("{key}", {{ name = "n{chance.random()}" }}))',
                f'assert(widgets.update("{key}", {{ domains = {{ add = {{ "z.example" }} }} }}))',
                f'assert(widgets.update("{key}", {{ mode = "invisible" }}))',
                f'assert(widgets.delete("{key}")) assert(widgets.create {{ name = "s{len(name)}", '
                'mode = "managed", domains = { "stranger.example" } })']))
        with self.subTest(seed=seed):
            self.damage("\n".join(code) + "\n")
            self.restore()
            names = {"twin" if name == "twin 2" else name for name in self.keys}
            for change, name in self.diff():
                self.assertTrue(change == "added" or change == "removed" and name in names, (change, name))
            known = [(widget["name"], sorted(widget["domains"]), widget["mode"])
                     for widget in self.sandbox.widgets() if widget["name"] in names]
            taken = json.loads(self.file.read_text(encoding="utf-8"))["widgets"]
            self.assertEqual(sorted(known), sorted(
                (widget["name"], widget["domains"], widget["mode"]) for widget in taken))

    def test_what_is_no_snapshot(self):
        self.file.write_text("[]", encoding="utf-8")
        done = self.run_tshost("restore.lua", self.file, sandbox=self.sandbox)
        self.assert_status(done, 1)
        self.assertIn(f"{self.file}: this is no snapshot of tshost", done.err)


if __name__ == "__main__":
    unittest.main()
