# SPDX-License-Identifier: MIT
"""A run of twenty operations is killed at every system call that it makes. Whenever that is, the
journal is sound and explains what the server has.

KILL_EVERY says at every which call, 1 for all of them; KILL_FROM at which the first time.
"""

import concurrent.futures
import os
import signal
import unittest

from kill_bed import Scene, has_strace

EVERY = int(os.environ.get("KILL_EVERY", "29"))
FROM = int(os.environ.get("KILL_FROM", "0"))
WORKERS = int(os.environ.get("KILL_WORKERS", str(os.cpu_count())))


@unittest.skipUnless(has_strace(), "processes cannot be traced here")
class Kill(unittest.TestCase):
    def test_uninterrupted(self):
        """What the other tests compare with is what happens."""
        with Scene() as scene:
            status, said = scene.begin()
            self.assertEqual((status, scene.differences(), scene.unexplained()), (0, [], []), said)

    def test_at_every_system_call(self):
        with Scene() as scene:
            points = scene.points(*scene.work())
        self.assertGreater(len(points), 500)
        tried = points[FROM::EVERY]
        killed = sum(self.each(kill, tried))
        print(f"{killed} kill points of {len(points)}", flush=True)
        self.assertGreater(killed, len(tried) * 0.95)  # how often it polls is not always the same

    def each(self, attempt, points):
        """Whether it was killed at each, after a look at what was found wrong."""
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            for point, (is_killed, found) in zip(points, pool.map(attempt, points)):
                with self.subTest(str(point)):
                    self.assertEqual(found, [])
                yield is_killed


def kill(point):
    """Kills one there; whether it was, and what is wrong."""
    with Scene() as scene:
        status, said = scene.begin(kill_at=point)
        if status == 0:
            return False, scene.differences()
        if status != -signal.SIGKILL:
            return True, [f"status {status}: {said}"]
        return True, scene.unexplained()


if __name__ == "__main__":
    unittest.main()
