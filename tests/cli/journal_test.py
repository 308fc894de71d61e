# SPDX-License-Identifier: MIT
"""What the journal is told of a run: all that it takes to run it again."""

import json
import sqlite3
import unittest

from host import ACCOUNT, Case, Sandbox

CREATE = """
  local widgets = require "turnstile".widgets
  assert(widgets.create { name = "a", domains = { "a.example" }, mode = "managed" })"""


class Journal(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())

    def run_row(self):
        with sqlite3.connect(self.home / "tshost" / "journal.db") as journal:
            journal.row_factory = sqlite3.Row
            row = journal.execute("SELECT * FROM run ORDER BY number DESC").fetchone()
        journal.close()
        return row

    def words(self, *arguments, **more):
        self.assert_status(self.run_tshost(*arguments, sandbox=self.sandbox, **more), 0)
        row = self.run_row()
        return [json.loads(row[name]) if row[name] else None for name in ("options", "arguments")]

    def test_options_and_arguments(self):
        script = self.script(CREATE)
        self.assertEqual(self.words(script), [[], []])
        options = ["--allow", "delete=3", "--fresh=5", "-q", "--max-create", "7"]
        arguments = ["tenants.csv", "--fresh", "", 'a "b" \\ \u00e9\n']
        self.assertEqual(self.words(*options, script, *arguments), [
            ["--allow=delete=3", "--fresh=5", "--quiet", "--max-create=7"], arguments])
        self.assertEqual(self.run_row()["script"], str(script))
        self.assertEqual(self.run_row()["account"], ACCOUNT)

    def test_paths_stand_from_the_root(self):
        script = self.script(CREATE)
        self.assertEqual(self.words("--sandbox=mine.db", script)[0],
                         [f"--sandbox={self.home}/mine.db"])
        (self.home / "token").write_text("sandbox-token-not-a-secret")
        self.assertEqual(self.words("--token-file", "token", script)[0],
                         [f"--token-file={self.home}/token"])

    def test_a_line_of_code(self):
        self.assertEqual(self.words("-e", CREATE, "one"), [[f"--execute={CREATE}"], ["one"]])

    def test_what_is_no_text_is_not_kept_by_half(self):
        script = self.script(CREATE)
        self.assertEqual(self.words(script, "fine", b"\xff".decode(errors="surrogateescape")),
                         [[], None])


if __name__ == "__main__":
    unittest.main()
