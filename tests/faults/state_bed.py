# SPDX-License-Identifier: MIT
"""A run with a state directory of its own against a server that outlives it, and afterwards a look
at both: what the server was asked to write, and what the journal says of it."""

import collections
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "cli"))

from host import IS_SANITIZED, Case, Sandbox

WRITES = ("create", "update", "delete", "rotate")

# enum ts_operation_state; an operation without an outcome is in the first.
STATES = ["intent", "done", "not_applied", "unknown", "refused", "stale"]
IN_DOUBT = ("intent", "unknown")

# Creates arg[2] widgets one after the other. arg[1] is the state directory; arg[3], if given, is the
# number of the widget before which the disk is filled.
ONE_BY_ONE = """
local failures, first = 0, nil
local function fill()
  local file = assert(io.open(arg[1] .. "/filler", "w"))
  for _, size in ipairs { 65536, 4096, 1 } do
    repeat local has_room = file:write(("x"):rep(size)) and file:flush() until not has_room
  end
  file:close()
end
for i = 1, tonumber(arg[2]) do
  if i == tonumber(arg[3]) then fill() end
  local fields = { name = "w" .. i, domains = { ("w%d.example"):format(i) }, mode = "managed" }
  local w, err = widgets.create(fields)
  if not w then
    failures, first = failures + 1, first or err
    assert(err.kind == "journal", tostring(err))
  end
end
print(failures, first)
"""

# The same with all at once.
TOGETHER = """
local failures, first = 0, nil
local numbers = {}
for i = 1, tonumber(arg[2]) do numbers[i] = i end
task.each(numbers, function(i)
  local fields = { name = "w" .. i, domains = { ("w%d.example"):format(i) }, mode = "managed" }
  local w, err = widgets.create(fields)
  if not w then
    failures, first = failures + 1, first or err
    assert(err.kind == "journal", tostring(err))
  end
end)
print(failures, first)
"""

Operation = collections.namedtuple("Operation", "number op name sitekey state")


class Journal:
    """What is in a journal: of a copy, so that looking changes nothing and needs no room."""

    def __init__(self, directory):
        with tempfile.TemporaryDirectory() as scratch:
            for name in ("journal.db", "journal.db-wal"):
                if (Path(directory) / name).exists():
                    shutil.copyfile(Path(directory) / name, Path(scratch) / name)
            database = sqlite3.connect(Path(scratch) / "journal.db")
            try:
                self._read(database)
            finally:
                database.close()

    def _read(self, database):
        self.problems = [row[0] for row in database.execute("PRAGMA integrity_check")
                         if row[0] != "ok"]
        self.problems += [str(row) for row in database.execute("PRAGMA foreign_key_check")]
        self.runs, self.operations = [], []
        if database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
            return  # the disk was full before there was anything
        self.runs = database.execute("SELECT id, exit, status FROM run ORDER BY number").fetchall()
        rows = database.execute(
            "SELECT number, op, name, ifnull(b.sitekey, a.sitekey), ifnull(state, 0)"
            " FROM operation a LEFT JOIN outcome b USING (number) ORDER BY number")
        self.operations = [Operation(*row[:4], STATES[row[4]]) for row in rows]

    def count(self, *states):
        return sum(operation.state in states for operation in self.operations)


class StateCase(Case):
    def setUp(self):
        super().setUp()
        self.state = self.home / "state"
        self.state.mkdir(mode=0o700)
        self.sandbox = self.enterContext(Sandbox())

    def environment(self, sandbox=None, **more):
        return super().environment(sandbox, **{"TSHOST_STATE": str(self.state), **more})

    def prepared(self, code, name="script.lua"):
        return self.script('local turnstile, task = require "turnstile", require "task"; '
                           "local widgets = turnstile.widgets; " + code, name)

    def writes(self):
        """What the server was asked to change, as (operation, status)."""
        return [entry for entry in self.sandbox.requests() if entry[0] in WRITES]

    def assert_explained(self, journal):
        """The journal is sound, every write that arrived is in it, and what it calls done is done."""
        self.assertEqual(journal.problems, [])
        arrived = collections.Counter(op for op, _ in self.writes())
        applied = collections.Counter(op for op, status in self.writes() if status == 200)
        for op in WRITES:
            of_op = [operation for operation in journal.operations if operation.op == op]
            done = sum(operation.state == "done" for operation in of_op)
            possible = done + sum(operation.state in IN_DOUBT for operation in of_op)
            self.assertLessEqual(arrived[op], len(of_op), op)
            self.assertLessEqual(done, applied[op], op)
            self.assertLessEqual(applied[op], possible, op)
        live = {widget["name"] for widget in self.sandbox.widgets()}
        told = {operation.name for operation in journal.operations
                if operation.op == "create" and operation.state in ("done", *IN_DOUBT)}
        self.assertLessEqual(live, told)
