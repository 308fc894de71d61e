# SPDX-License-Identifier: MIT
"""scripts/bulk_domains.lua as a user runs it: what is printed, what is sent, and what is not."""

import csv
import io
import json
import signal
import unittest

from host import ACCOUNT, IS_SANITIZED, Case, Sandbox

WRITES = ("create", "update", "delete", "rotate")
NO_DOMAIN = "no domain would be left, and a widget without one admits any hostname"


class BulkDomains(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox("--entitle", "any-hostname"))

    def fill(self, *fleet):
        """Makes widgets out of names and domains; their sitekeys, in the same order."""
        return [self.sandbox.create(name, domains)["sitekey"] for name, *domains in fleet]

    def edit(self, *arguments, status=0, text=None, options=()):
        """Runs the script; its rows, and what it said."""
        done = self.run_tshost(*options, "bulk_domains.lua", *arguments, "--format", "json",
                               sandbox=self.sandbox, text=text)
        self.assert_status(done, status)
        return json.loads(done.out) if done.out else None, done.err

    def results(self, rows):
        return {row["name"] or row["sitekey"]: row["result"] for row in rows}

    def domains(self):
        return {widget["name"]: " ".join(widget["domains"]) for widget in self.sandbox.widgets()}

    def sent(self):
        """What was asked since the last call, as counts."""
        counts = {}
        for operation, _ in self.sandbox.requests():
            counts[operation] = counts.get(operation, 0) + 1
        self.sandbox.ask("DELETE", "/sandbox/requests")
        return counts

    def assert_nothing_written(self):
        self.assertEqual([op for op in self.sent() if op in WRITES], [])

    def test_adds_removes_and_replaces(self):
        keys = self.fill(("acme-1", "a.example", "old.example"), ("acme-2", "b.example"),
                         ("bolt", "old.example"))
        self.sent()
        rows, said = self.edit("--name", "acme-*", "--add", "New.Example.", "--remove", "b.example",
                               "--replace", "old.example=fresh.example")
        self.assertEqual(rows, [
            {"sitekey": keys[0], "result": "changed", "name": "acme-1",
             "added": ["fresh.example", "new.example"], "removed": ["old.example"], "reason": None},
            {"sitekey": keys[1], "result": "changed", "name": "acme-2",
             "added": ["new.example"], "removed": ["b.example"], "reason": None}])
        self.assertRegex(said, r"(?m)^3 widgets: 1 \+ 2 requests, about [0-9.]+ m?s; 2 selected$")
        self.assertEqual(self.domains(), {
            "acme-1": "a.example fresh.example new.example", "acme-2": "new.example",
            "bolt": "old.example"})
        sent = self.sent()
        self.assertEqual((sent["list"], sent["update"]), (2, 2))  # one of the lists is the test's

    def test_a_rerun_sends_the_list_alone(self):
        count = 50 if IS_SANITIZED else 2500
        rows = [{"sitekey": f"0x4AAAAAAA{i:015d}", "name": f"w{i}", "mode": "managed",
                 "created_on": "2026-01-02T03:04:05Z", "modified_on": "2026-01-02T03:04:05Z",
                 "domains": ["old.example" if i % 4 == 0 else "other.example"]}
                for i in range(count)]
        self.sandbox.ask("POST", f"/sandbox/accounts/{ACCOUNT}/widgets", {"result": rows})
        arguments = ("--all", "--replace", "old.example=new.example")
        rows, _ = self.edit(*arguments)
        changed = (count + 3) // 4
        self.assertEqual([row["result"] for row in rows], changed * ["changed"])
        self.sent()
        rows, said = self.edit(*arguments)
        self.assertEqual(rows, [])
        self.assertEqual(self.sent(), {"list": -(-count // 1000)})
        self.assertIn(f"{count:,} unchanged", said)

    def test_no_selection_is_a_mistake(self):
        self.fill(("acme", "a.example"))
        for arguments in (
            ("--add", "x.example"),
            ("--all",),
            ("--all", "--name", "*", "--add", "x.example"),
            ("--all", "--add", "https://x.example"),
            ("--all", "--add", "x.example", "--remove", "X.example"),
            ("--all", "--replace", "x.example"),
            ("--all", "--add", "x.example", "--limit", "0"),
            ("--all", "--add", "x.example", "--max-domains", "many"),
            ("--from-csv", "edits.csv", "--all"),
            ("--from-csv", "edits.csv", "--add", "x.example"),
            ("--name", "acme", "--name", "bolt", "--add", "x.example"),
        ):
            with self.subTest(arguments):
                self.sent()
                rows, said = self.edit(*arguments, status=2)
                self.assertIsNone(rows)
                self.assertEqual(len(said.splitlines()), 1, said)
                self.assertEqual(self.sent(), {})

    def test_what_would_be_too_many_is_told_before_any_is_touched(self):
        full = [f"d{i:02d}.example" for i in range(15)]
        self.fill(("full", *full), ("small", "a.example"), ("last", "x.example"))
        self.sent()
        rows, said = self.edit("--all", "--add", "x.example", status=3)
        self.assertEqual(self.results(rows), {"full": "refused", "small": "not done"})
        self.assertEqual(rows[0]["reason"], "it would have 16 domains, more than 15")
        self.assertIn("--skip-refused", said)
        self.assertEqual(self.sent(), {"list": 1})
        rows, _ = self.edit("--all", "--add", "x.example", "--skip-refused", status=3)
        self.assertEqual(self.results(rows), {"full": "refused", "small": "changed"})
        self.assertEqual(self.domains()["full"], " ".join(full))
        # As many as before are fine, whatever the limit.
        self.edit("--name", "full", "--replace", "d00.example=x.example", "--max-domains", "3")

    def test_no_widget_is_left_without_domains_or_confined_to_the_new_one(self):
        self.fill(("one", "a.example"), ("two", "a.example", "b.example"), ("any",))
        rows, _ = self.edit("--all", "--remove", "a.example", status=3)
        self.assertEqual(self.results(rows), {"one": "refused", "two": "not done"})
        self.assertEqual(rows[0]["reason"], NO_DOMAIN)
        rows, _ = self.edit("--all", "--add", "c.example", status=3, options=(
            "--allow", "any-hostname"))
        self.assertEqual(rows[2]["result"], "refused")
        self.assertIn("admits any hostname", rows[2]["reason"])
        self.assertEqual(self.domains()["any"], "")
        self.assertEqual(self.domains()["one"], "a.example")

    def test_limit_takes_the_next_at_each_run(self):
        self.fill(*((f"w{i}", "a.example") for i in range(5)))
        for expected in (["w0", "w1"], ["w2", "w3"], ["w4"], []):
            rows, said = self.edit("--all", "--add", "b.example", "--limit", "2")
            self.assertEqual(self.results(rows), dict.fromkeys(expected, "changed"))
            self.assertEqual("left" in said, expected == ["w0", "w1"] or expected == ["w2", "w3"])

    def test_dry_run_writes_nothing(self):
        self.fill(("a", "a.example"), ("b", "b.example"))
        self.sent()
        rows, said = self.edit("--all", "--add", "b.example", "--dry-run", status=3)
        self.assertEqual(self.results(rows), {"a": "would change"})
        self.assertIn("1 + 1 requests", said)
        self.assertEqual(self.sent(), {"list": 1})
        self.edit("--all", "--remove", "c.example", "--dry-run")

    def test_sitekeys_that_are_not_there(self):
        keys = self.fill(("a", "a.example"), ("b", "b.example"), ("c", "c.example"))
        text = f"# two of them\n{keys[2]}\n0x4AAAAAAAgone\n{keys[0]} # a\n"
        rows, _ = self.edit("--sitekeys", "-", "--add", "a.example", text=text, status=3)
        self.assertEqual(self.results(rows), {
            "a": "unchanged", "c": "changed", "0x4AAAAAAAgone": "missing"})
        self.sent()
        rows, said = self.edit("--sitekeys", "-", "--add", "d.example", text="no key\n", status=1)
        self.assertIsNone(rows)
        self.assertIn('-:1: "no key" is no sitekey', said)
        self.assertEqual(self.sent(), {})

    def test_edits_from_csv(self):
        keys = self.fill(("a", "a.example"), ("b", "b.example"), ("twin", "t.example"),
                         ("twin", "t.example"), ("e", "e.example", "x.example"))
        edits = self.home / "edits.csv"
        edits.write_text("sitekey,name,add,remove,replace\n"
                         ",e,y.example z.example,x.example,\n"
                         f"{keys[0]},,,,a.example=n.example\n"
                         "0x4AAAAAAAgone,,y.example,,\n"
                         ",twin,y.example,,\n"
                         ",nobody,y.example,,\n"
                         f"{keys[1]},b,b.example,,\n")
        rows, _ = self.edit("--from-csv", edits, status=3)
        self.assertEqual([row["result"] for row in rows], [
            "changed", "changed", "missing", "duplicate", "missing", "unchanged"])
        self.assertEqual(rows[0]["added"], ["y.example", "z.example"])
        self.assertIn(f"{edits}:5: widgets of this name: {keys[2]}, {keys[3]}", rows[3]["reason"])
        self.assertIn(f"{edits}:6: ", rows[4]["reason"])
        self.assertEqual(self.domains()["a"], "n.example")
        self.assertEqual(self.domains()["twin"], "t.example")
        # A row that was sorted apart from its sitekey, and two that mean the same widget.
        edits.write_text(f"sitekey,name,add\n{keys[0]},b,q.example\n,e,q.example\n{keys[4]},,r.example\n")
        self.sent()
        rows, _ = self.edit("--from-csv", edits, status=3)
        self.assertEqual([row["result"] for row in rows], ["refused", "refused", "not done"])
        self.assertIn('its name is "a", not "b"', rows[0]["reason"])
        self.assertEqual(self.sent(), {"list": 1})

    def test_all_complaints_about_the_csv_before_anything_is_sent(self):
        edits = self.home / "edits.csv"
        edits.write_text("sitekey,add,remove\n0x4A,https://x,\n0x4 B,x.example,\n0x4C,,\n")
        rows, said = self.edit("--from-csv", edits, status=1)
        self.assertIsNone(rows)
        for part in (":2: domain", ":3: ", ":4: nothing to add"):
            self.assertIn(f"{edits}{part}", said)
        self.assertEqual(self.sent(), {})

    def test_each_failure_is_in_its_row(self):
        self.fill(*((f"w{i}", "a.example") for i in range(6)))
        # A request that the server refuses for its content.
        strict = self.enterContext(Sandbox("--max-domains", "2"))
        self.sandbox = strict
        self.fill(("two", "a.example", "b.example"), ("one", "a.example"))
        rows, said = self.edit("--all", "--add", "c.example", status=4)
        self.assertEqual(self.results(rows), {"two": "failed", "one": "changed"})
        self.assertIn("domains", rows[0]["reason"])
        self.assertIn("1 failed", said)

    def test_read_only(self):
        self.fill(("a", "a.example"))
        self.sent()
        rows, _ = self.edit("--all", "--add", "c.example", status=5, options=["--read-only"])
        self.assertEqual(self.results(rows), {"a": "failed"})
        self.assertIn("--read-only", rows[0]["reason"])
        self.assert_nothing_written()

    def test_more_than_the_cap_is_told_before_any_is_touched(self):
        self.fill(("a", "a.example"), ("b", "c.example"), ("d", "d.example"))
        self.sent()
        cap = ["--max-update", "1"]
        rows, said = self.edit("--all", "--add", "c.example", status=5, options=cap)
        self.assertEqual(self.results(rows), {"a": "not done", "d": "not done"})
        self.assertIn("2 widgets are more than --max-update 1: nothing is changed; --limit 1 would "
                      "change the first", said)
        self.assert_nothing_written()
        rows, _ = self.edit("--all", "--add", "c.example", "--dry-run", status=3, options=cap)
        self.assertEqual(self.results(rows), {"a": "would change", "d": "would change"})
        rows, _ = self.edit("--all", "--add", "c.example", "--limit", "1", options=cap)
        self.assertEqual(self.results(rows)["a"], "changed")
        rows, _ = self.edit("--all", "--add", "c.example", options=cap)
        self.assertEqual(self.results(rows), {"d": "changed"})

    def test_quiet_says_only_what_is_wrong(self):
        self.fill(("a", "a.example"))
        _, said = self.edit("--all", "--add", "b.example", options=["--quiet"])
        self.assertEqual(said, "")
        _, said = self.edit("--all", "--remove", "a.example", "--remove", "b.example", status=3,
                            options=["--quiet"])
        self.assertIn("nothing is changed", said)
        self.assertEqual(len(said.splitlines()), 1, said)

    def test_an_interrupted_run_tells_what_it_did(self):
        self.fill(*((f"w{i:02d}", "a.example") for i in range(40)))
        self.sandbox.fault(op="update", nth=9, kind="delay", ms=400, times=100000)
        process = self.start("--concurrency", "4", "bulk_domains.lua", "--all", "--add", "b.example",
                             "--format", "json", sandbox=self.sandbox)
        while len(self.sandbox.requests("update")) < 8:
            self.assertIsNone(process.process.poll())
        process.signal(signal.SIGINT)
        done = process.finish()
        self.assert_status(done, 130)
        results = self.results(json.loads(done.out))
        self.assertEqual(len(results), 40)
        changed = {name for name, domains in self.domains().items() if "b.example" in domains}
        self.assertEqual({name for name, result in results.items() if result == "changed"}, changed)
        self.assertEqual(set(results.values()) - {"under way"}, {"changed", "not done"})

    def test_formats(self):
        key, = self.fill(("Acme, \"Inc\"", "a.example"))
        done = self.run_tshost("bulk_domains.lua", "--all", "--add", "b.example", "--add", "c.example",
                               "--remove", "a.example", "--dry-run", "--format", "csv",
                               sandbox=self.sandbox)
        rows = list(csv.DictReader(io.StringIO(done.out)))
        self.assertEqual(rows, [{
            "sitekey": key, "result": "would change", "name": 'Acme, "Inc"',
            "added": "b.example c.example", "removed": "a.example", "reason": ""}])
        many = [f"--add=a-name-of-some-length-{i:02d}.shop.example" for i in range(12)]
        done = self.run_tshost("bulk_domains.lua", "--all", *many, "--dry-run", sandbox=self.sandbox)
        lines = done.out.splitlines()
        self.assertEqual(lines[1].split()[:3], [key, "would", "change"])
        self.assertTrue(all(len(line) <= 80 for line in lines), done.out)
        self.assertEqual(sum(line.count(".shop.example") for line in lines), 12)
        self.fill(("a name of many words " * 9, "a.example"))
        done = self.run_tshost("bulk_domains.lua", "--all", "--add", "b.example", "--dry-run",
                               sandbox=self.sandbox)
        self.assertTrue(all(len(line) <= 80 for line in done.out.splitlines()), done.out)
        self.assertEqual(done.out.count("words"), 9)
        done = self.run_tshost("bulk_domains.lua", "--all", "--remove", "z.example",
                               sandbox=self.sandbox)
        self.assertEqual((done.status, done.out), (0, ""))


if __name__ == "__main__":
    unittest.main()
