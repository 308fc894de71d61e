# SPDX-License-Identifier: MIT
"""Module log: what scripts say on standard error, with and without --quiet."""

import unittest

from host import Case

CODE = """
  local log = require "log"
  log.note "noted \\27[2J\\rforged\\ntwice"
  log.warn "warned"
  print(pcall(log.note, 1))"""


class Log(Case):
    def test_notes_and_warnings(self):
        done = self.run_tshost("-e", CODE)
        self.assertEqual((done.status, done.err), (0, "noted ?[2J?forged?twice\nwarned\n"))
        self.assertIn("log.note: a string expected, got number", done.out)
        self.assertTrue(done.out.startswith("false"))

    def test_quiet_leaves_notes_out(self):
        self.assertEqual(self.run_tshost("--quiet", "-e", CODE).err, "warned\n")


if __name__ == "__main__":
    unittest.main()
