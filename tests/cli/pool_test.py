# SPDX-License-Identifier: MIT
"""Tasks that are cancelled at random moments, by the script, by a time limit and by a sibling's
failure. The connections that they leave behind must serve the next requests, each with its own
answer, and what the summary says of the writes must be what the server has seen."""

import re
import unittest

from host import Case
from slow_server import Server

ROUNDS = 10
RATE = ("--rate", "1000000/1")


# How many creates came back to the script is in `made`; `work` is what is given up.
PRELUDE = """
  math.randomseed(tonumber(arg[1]))
  local made, seen = 0, 0
  local function key(n) return ("0x4%021d"):format(n) end
  local function work(n)
    local w = assert(widgets.get(key(n)))
    assert(w.sitekey == key(n), "the answer of another")
    if n % 3 == 0 then
      w = assert(widgets.create { name = "n" .. n, domains = { "acme.example" }, mode = "managed" })
      made = made + 1
      assert(w.name == "n" .. n, "the answer of another")
    end
    assert(widgets.get(key(n + 1000)).sitekey == key(n + 1000), "the answer of another")
  end
  local function some_time() return math.random() * 0.04 end
  local function burst()
    local keys = {}
    for n = 1, 60 do keys[n] = key(n) end
    task.each(keys, function(k)
      assert(assert(widgets.get(k)).sitekey == k, "the answer of another")
    end, { concurrency = 30 })
  end
"""

BY_CANCEL = """
  for n = 1, 30 do
    local h = task.spawn(work, n)
    task.spawn(function() task.sleep(some_time()) h:cancel() end)
  end
  task.sleep(0.02)
"""

BY_LIMIT = """
  for n = 1, 30 do
    task.spawn(function()
      local done, err = task.with_timeout(some_time(), function() work(n) return true end)
      if not done then
        assert(err.kind == "timeout")
        err:forgive "asked for"
        seen = seen + 1
      end
    end)
  end
"""

BY_SIBLING = """
  local ns = {}
  for n = 1, 30 do ns[n] = n end
  local ok, err = pcall(task.each, ns, function(n)
    if n == 13 then
      task.sleep(some_time())
      error("the sibling", 0)
    end
    work(n)
  end, { concurrency = 30 })
  assert(not ok and err == "the sibling", err)
"""


class Pool(Case):
    def give_up(self, way):
        for seed in range(ROUNDS):
            with self.subTest(seed=seed), Server(seed) as server:
                path = self.script('local turnstile, task = require "turnstile", require "task"; '
                                   "local widgets = turnstile.widgets; " + PRELUDE + way
                                   + "burst() print(made)")
                done = self.run_tshost(
                    "--concurrency", "8", *RATE, path, str(seed), sandbox=server.url)
                self.assert_status(done, 0)
                told = re.search(r"(\d+) created", done.err)
                self.assertEqual(int(told[1]) if told else 0, server.created, done)
                self.assertNotIn("in doubt", done.err)
                self.assertLessEqual(int(done.out), server.created)

    def test_cancelled(self):
        self.give_up(BY_CANCEL)

    def test_timed_out(self):
        self.give_up(BY_LIMIT)

    def test_failing_sibling(self):
        self.give_up(BY_SIBLING)

    def test_all_at_once(self):
        self.give_up("task.spawn(function() " + BY_CANCEL + " end) task.spawn(function() " + BY_LIMIT
                     + " end) " + BY_SIBLING)


if __name__ == "__main__":
    unittest.main()
