# SPDX-License-Identifier: MIT
"""scripts/rotate.lua as a user runs it: one rotation, its delivery, then the next; and what is left
when something fails between the two."""

import calendar
import json
import os
import signal
import time
import unittest

from host import ACCOUNT, SECRET, TOKEN, Case, Sandbox

HOURS = 3600


def seconds(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


class Rotate(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())
        self.secrets = self.home / "secrets"

    def fill(self, *names):
        return [self.sandbox.create(name)["sitekey"] for name in names]

    def rotate(self, *arguments, status=0, allow="rotate", text=None, options=(), **more):
        """Runs the script; its rows, and what it said."""
        options = [*options, *(["--allow", allow] if allow else [])]
        done = self.run_tshost(*options, "rotate.lua", *arguments, "--format", "json",
                               sandbox=self.sandbox, text=text, **more)
        self.assert_status(done, status)
        return json.loads(done.out) if done.out else None, done.err

    def results(self, rows):
        return [row["result"] for row in rows]

    def secret(self, sitekey):
        path = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets/{sitekey}"
        return self.sandbox.ask("GET", path)["secret"]

    def operations(self):
        """What was asked since the last call."""
        operations = [operation for operation, _ in self.sandbox.requests()]
        self.sandbox.ask("DELETE", "/sandbox/requests")
        return operations

    def command(self, code):
        """A --command that runs shell code with the sitekey as $1, the secret on standard input."""
        script = self.script("#!/bin/sh\n" + code, "deliver")
        script.chmod(0o700)
        return ["--command", f"{script} {{sitekey}}"]

    def request(self, method, path):
        """Shell code that sends a request of its own when a secret is delivered to it."""
        return (f"cat > /dev/null; exec /usr/bin/python3 -c 'import urllib.request as u; u.urlopen("
                f"u.Request(\"{self.sandbox.origin}{path}\", b\"{{}}\", method=\"{method}\", "
                f"headers={{\"Authorization\": \"Bearer {TOKEN}\", "
                f"\"Content-Type\": \"application/json\"}}))'")

    def test_new_secrets_are_in_their_files(self):
        keys = self.fill("acme", "Bolt, Nut", "other")
        old = [self.secret(key) for key in keys]
        self.secrets.mkdir()
        (self.secrets / "acme").write_text(old[0])
        rows, said = self.rotate("--sitekeys", "-", "--secrets-dir", self.secrets,
                                 text="\n".join(keys[:2]))
        self.assertEqual(self.results(rows), ["rotated", "rotated"])
        self.assertEqual(rows[1]["delivered_to"], f"{self.secrets}/+bolt%2c%20+nut")
        for key, row, before in zip(keys, rows, old):
            with open(row["delivered_to"], encoding="ascii") as file:
                secret = file.read()
            self.assertEqual(secret, self.secret(key))
            self.assertNotEqual(secret, before)
            self.assertEqual(os.stat(row["delivered_to"]).st_mode & 0o777, 0o600)
        self.assertEqual(self.secret(keys[2]), old[2])
        self.assertIn("3 widgets: 1 + 2 requests", said)
        # Two hours from the moment that the server names.
        changed = {w["sitekey"]: w["modified_on"] for w in self.sandbox.widgets()}
        for row in rows:
            ends = row["old_secret_valid_until"]
            self.assertEqual(seconds(ends), seconds(changed[row["sitekey"]]) + 2 * HOURS)
            self.assertIn(ends, said)

    def test_each_is_delivered_before_the_next_is_rotated(self):
        self.fill("a", "b", "c")
        self.operations()
        # The command asks the sandbox for its own history, at the time of each delivery.
        code = (f"cat > /dev/null; /usr/bin/python3 -c 'import urllib.request, json; print(sum("
                f"r[\"op\"] == \"rotate\" for r in json.load(urllib.request.urlopen("
                f"\"{self.sandbox.origin}/sandbox/requests\"))[\"result\"]))' >> counts")
        rows, _ = self.rotate("--all", *self.command(code))
        self.assertEqual(self.results(rows), 3 * ["rotated"])
        self.assertEqual((self.home / "counts").read_text(), "1\n2\n3\n")

    def test_a_failed_delivery_stops_the_run(self):
        keys = self.fill("a", "b", "c")
        code = f'test "$1" != {keys[1]} && cat > "$1" || {{ echo vault is sealed >&2; exit 3; }}'
        self.operations()
        rows, said = self.rotate("--all", *self.command(code), status=4)
        self.assertEqual(self.operations(), ["list", "rotate", "rotate"])
        self.assertEqual(self.results(rows), ["rotated", "not delivered", "not done"])
        self.assertIn("--deliver-only", rows[1]["reason"])
        self.assertIsNotNone(rows[1]["old_secret_valid_until"])
        self.assertIsNone(rows[1]["delivered_to"])
        self.assertIn("vault is sealed", said)
        # Rotating again is refused, and touches nothing; delivering needs no permission.
        rows, _ = self.rotate("--name", "b", "--secrets-dir", self.secrets, status=3)
        self.assertEqual(self.results(rows), ["in grace"])
        rows, _ = self.rotate("--name", "b", "--secrets-dir", self.secrets, "--deliver-only",
                              allow=None)
        self.assertEqual(self.results(rows), ["delivered"])
        self.assertEqual((self.secrets / "b").read_text(), self.secret(keys[1]))

    def test_what_is_still_in_grace_is_left_and_the_others_go_on(self):
        keys = self.fill("a", "b")
        self.rotate("--name", "a", "--secrets-dir", self.secrets)
        first = self.secret(keys[0])
        rows, said = self.rotate("--all", "--secrets-dir", self.secrets, status=3)
        self.assertEqual(self.results(rows), ["in grace", "rotated"])
        self.assertIn("try again after 20", rows[0]["reason"])
        self.assertEqual(self.secret(keys[0]), first)
        self.assertIn("1 rotated", said)
        # After the moment that it names it works.
        self.sandbox.ask("POST", "/sandbox/clock", {"advance": 2 * HOURS + 1})
        rows, _ = self.rotate("--all", "--secrets-dir", self.secrets)
        self.assertEqual(self.results(rows), ["rotated", "rotated"])

    def test_one_that_somebody_else_rotates_meanwhile(self):
        old = "2026-01-02T03:04:05Z"  # the list alone would say that there can be no grace
        keys = [f"0x4AAAAAAA{i:015d}" for i in range(2)]
        self.sandbox.ask("POST", f"/sandbox/accounts/{ACCOUNT}/widgets", {"result": [
            {"sitekey": key, "name": key, "mode": "managed", "domains": ["a.example"],
             "created_on": old, "modified_on": old} for key in keys]})
        path = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets/{keys[1]}/rotate_secret"
        rows, _ = self.rotate("--all", *self.command(self.request("POST", path)), status=3)
        self.assertEqual(self.results(rows), ["rotated", "in grace"])

    def test_permission_is_asked_for_before_anything_is_sent(self):
        self.fill("a", "b", "c")
        self.operations()
        rows, said = self.rotate("--all", "--secrets-dir", self.secrets, allow=None, status=5)
        self.assertIsNone(rows)
        self.assertIn("--allow rotate", said)
        self.assertEqual(self.operations(), [])
        rows, said = self.rotate("--all", "--secrets-dir", self.secrets, allow="rotate=2", status=5)
        self.assertIsNone(rows)
        self.assertIn("--limit 2", said)
        self.assertEqual(self.operations(), ["list"])
        rows, said = self.rotate("--all", "--secrets-dir", self.secrets, "--limit", "2",
                                 allow="rotate=2")
        self.assertEqual(self.results(rows), ["rotated", "rotated"])
        self.assertIn("1 left", said)

    def test_dry_run(self):
        self.fill("a", "b")
        self.operations()
        rows, _ = self.rotate("--all", "--secrets-dir", self.secrets, "--dry-run", allow=None,
                              status=3)
        self.assertEqual(self.results(rows), ["would rotate", "would rotate"])
        self.assertEqual(self.operations(), ["list"])
        self.assertFalse(self.secrets.exists())

    def test_leaked_secrets_die_at_once(self):
        key, = self.fill("a")
        rows, said = self.rotate("--all", "--secrets-dir", self.secrets, "--invalidate-immediately")
        self.assertIn("--invalidate-immediately: each old secret is refused", said)
        changed = self.sandbox.widgets()[0]["modified_on"]
        self.assertEqual(seconds(rows[0]["old_secret_valid_until"]), seconds(changed))
        # There is no grace, so it can be done again.
        self.rotate("--all", "--secrets-dir", self.secrets, "--invalidate-immediately")
        self.rotate("--all", "--secrets-dir", self.secrets)
        rows, _ = self.rotate("--all", "--secrets-dir", self.secrets, "--invalidate-immediately",
                              status=3)
        self.assertEqual(self.results(rows), ["in grace"])
        self.assertEqual((self.secrets / "a").read_text(), self.secret(key))

    def test_places_that_cannot_be_are_found_before_the_first_rotation(self):
        keys = self.fill("twin", "twin", "taken", "fine")
        self.secrets.mkdir()
        (self.secrets / "taken").mkdir()
        rows, _ = self.rotate("--all", "--secrets-dir", self.secrets, status=3)
        self.assertEqual(self.results(rows), ["refused", "refused", "refused", "rotated"])
        self.assertIn("--files-by sitekey", rows[0]["reason"])
        self.assertIn("is a directory", rows[2]["reason"])
        self.sandbox.ask("POST", "/sandbox/clock", {"advance": 2 * HOURS + 1})
        rows, _ = self.rotate("--all", "--secrets-dir", self.secrets, "--files-by", "sitekey")
        self.assertEqual(len({row["delivered_to"] for row in rows}), 4)
        rows, _ = self.rotate("--name", "twin", "--command", "cat {name}", "--deliver-only", status=3)
        self.assertEqual(self.results(rows), ["refused", "refused"])
        rows, _ = self.rotate("--sitekeys", "-", "--secrets-dir", self.secrets, "--files-by",
                              "sitekey", "--deliver-only", status=3, text=f"0x4AAgone\n{keys[0]}\n")
        self.assertEqual(self.results(rows), ["delivered", "missing"])

    def test_usage(self):
        self.fill("a", "b")
        to = ("--secrets-dir", self.secrets)
        for arguments in (
            to, ("--all",), ("--all", *to, "--command", "cat"), ("--all", "--command", ""),
            ("--all", "--command", "no-such-program {name}"), ("--all", "--command", "cat 'x"),
            ("--all", "--command", "cat | tee {name}"), ("--all", "--command", "cat {nmae}"),
            ("--all", "--command", "{name} x"), ("--all", *to, "--limit", "-1"),
            ("--all", "--command", "cat"), ("--all", "--secrets-dir", "/nowhere/secrets"),
            ("--all", "--name", "a", *to),
        ):
            with self.subTest(arguments):
                rows, said = self.rotate(*arguments, status=2)
                self.assertIsNone(rows)
                self.assertEqual(len(said.splitlines()), 1, said)
        self.assertNotIn("rotate", self.operations())

    def test_the_name_stays_one_harmless_word(self):
        names = ["a b", "../../x", "-rf", "$(touch hit)", "; touch hit", "'\"`touch hit`"]
        self.fill(*names)
        script = self.script('#!/bin/sh\ncat > /dev/null; echo "$# $1" >> said\n', "deliver")
        script.chmod(0o700)
        self.rotate("--all", "--command", f"{script} {{name}}")
        said = (self.home / "said").read_text().splitlines()
        self.assertEqual(len(said), len(names))
        for line in said:
            self.assertRegex(line, r"^1 [a-z0-9_%+][a-z0-9._%+-]*$")
        self.rotate("--all", "--command", "sh -c 'cat > /dev/null; echo {name}'", "--deliver-only")
        self.assertFalse((self.home / "hit").exists())

    def test_a_lost_answer_stops_the_run(self):
        self.fill("a", "b", "c")
        self.sandbox.fault(op="rotate", nth=2, kind="drop")
        self.sandbox.fault(op="any", nth=4, kind="502", times=1000)
        rows, _ = self.rotate("--all", "--secrets-dir", self.secrets, status=10,
                              options=["--max-wait", "0.2"])
        self.assertEqual(self.results(rows), ["rotated", "unknown", "not done"])
        self.assertIn("--deliver-only", rows[1]["reason"])

    def test_one_that_was_deleted_meanwhile(self):
        keys = self.fill("a", "b")
        path = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets/{keys[1]}"
        rows, _ = self.rotate("--all", *self.command(self.request("DELETE", path)), status=3)
        self.assertEqual(self.results(rows), ["rotated", "missing"])

    def test_an_interrupted_run_tells_what_it_did(self):
        keys = self.fill("a", "b", "c")
        self.sandbox.fault(op="rotate", nth=2, kind="delay", ms=500)
        process = self.start("--allow", "rotate", "rotate.lua", "--all", "--secrets-dir",
                             self.secrets, "--format", "json", sandbox=self.sandbox)
        while not (self.secrets / "a").exists():
            self.assertIsNone(process.process.poll())
        process.signal(signal.SIGINT)
        done = process.finish()
        self.assert_status(done, 130)
        self.check_secrets(done)
        rows = json.loads(done.out)
        count = len(self.sandbox.requests("rotate"))
        self.assertEqual(self.results(rows)[:count], count * ["rotated"])
        # "under way" was about to be asked for.
        self.assertLessEqual(set(self.results(rows)[count:]), {"under way", "not done"})
        for key, name in zip(keys[:count], "abc"):
            self.assertEqual((self.secrets / name).read_text(), self.secret(key))

    def test_a_secret_rotated_while_stopping_is_not_lost_in_silence(self):
        keys = self.fill("a", "b")
        self.sandbox.fault(op="rotate", kind="delay", ms=500)
        process = self.start("--allow", "rotate", "rotate.lua", "--all", "--format", "json",
                             *self.command("cat > \"$1\""), sandbox=self.sandbox)
        while not self.sandbox.requests("list"):
            self.assertIsNone(process.process.poll())
        process.signal(signal.SIGINT)
        done = process.finish()
        self.assert_status(done, 130)
        rows = json.loads(done.out) if done.out else []
        if self.sandbox.requests("rotate"):
            delivered = (self.home / keys[0]).exists()
            self.assertEqual(rows[0]["result"], "rotated" if delivered else "not delivered")
            self.assertTrue(delivered or "--deliver-only" in rows[0]["reason"])

    def test_no_secret_is_printed(self):
        self.fill("a", "b")
        for fmt in ("table", "json", "csv"):
            done = self.run_tshost("--verbose", "--allow", "rotate", "rotate.lua", "--all",
                                   "--invalidate-immediately", "--secrets-dir", self.secrets,
                                   "--format", fmt, sandbox=self.sandbox)
            self.assert_status(done, 0)
            self.assertIsNone(SECRET.search(done.out + done.err))
            self.assertTrue(all(len(line) <= 80 for line in done.out.splitlines())
                            or fmt != "table", done.out)


if __name__ == "__main__":
    unittest.main()
