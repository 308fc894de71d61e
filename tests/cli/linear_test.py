# SPDX-License-Identifier: MIT
"""A list that is streamed costs no more memory for ten times as many widgets: what grows is the set
of sitekeys already seen, a few bytes each. Nothing is timed here; time is for the benchmarks."""

import sys
import unittest

from host import ACCOUNT, IS_SANITIZED, Case, Sandbox

SMALL, LARGE = 10000, 100000
BYTES = 64  # for each further widget, at most; the row alone, kept as a table, takes over 1,000
BATCH = 20000
TIME = "2026-01-01T00:00:00Z"

SCRIPT = """
local count = 0
for widget in require "turnstile".widgets.list { per_page = 1000 } do
  count = count + #widget.domains
end
local file <close> = io.open "/proc/self/status"
print(count, file:read("a"):match "VmHWM:%s+(%d+) kB")
"""


@unittest.skipIf(IS_SANITIZED, "the sanitizers hold freed memory back")
class Linear(Case):
    def fill(self, sandbox, first, last):
        for at in range(first, last, BATCH):
            sandbox.ask("POST", f"/sandbox/accounts/{ACCOUNT}/widgets", {"result": [{
                "sitekey": f"0x4AAAAAAAlinear{number:08}", "name": f"widget {number}",
                "mode": "managed", "domains": [f"{number}.example"],
                "created_on": TIME, "modified_on": TIME,
            } for number in range(at, min(at + BATCH, last))]})

    def peak(self, sandbox, count):
        """The most memory that a walk over the list takes, in bytes."""
        done = self.run_tshost(self.script(SCRIPT), sandbox=sandbox)
        self.assert_status(done, 0)
        seen, kilobytes = map(int, done.out.split())
        self.assertEqual(seen, count)
        return kilobytes * 1024

    def test_memory_does_not_grow_with_the_list(self):
        with Sandbox() as sandbox:
            self.fill(sandbox, 0, SMALL)
            small = min(self.peak(sandbox, SMALL) for _ in range(3))
            self.fill(sandbox, SMALL, LARGE)
            large = min(self.peak(sandbox, LARGE) for _ in range(3))
        each = (large - small) / (LARGE - SMALL)
        print(f"linear: {small / 1e6:.1f} MB for {SMALL}, {large / 1e6:.1f} MB for {LARGE}: "
              f"{each:.0f} bytes for each further widget", file=sys.stderr)
        self.assertLess(each, BYTES)


if __name__ == "__main__":
    unittest.main()
