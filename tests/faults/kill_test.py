# SPDX-License-Identifier: MIT
"""A run of twenty operations is killed at every system call that it makes. Whenever that is, the
journal is sound and explains what the server has; and when the run was resumed, all is as if nobody
had killed it. The same when the resume is killed as well, and resumed.

KILL_EVERY says at every which call, 1 for all of them, and KILL_FROM at which the first time.
KILL_AGAIN_EVERY says the same of runs whose resume is killed, and KILL_AGAIN at how many calls each.
"""

import concurrent.futures
import os
import signal
import unittest

from kill_bed import IS_SANITIZED, Scene, has_strace

EVERY = int(os.environ.get("KILL_EVERY", "164" if IS_SANITIZED else "41"))
FROM = int(os.environ.get("KILL_FROM", "0"))
AGAIN_EVERY = int(os.environ.get("KILL_AGAIN_EVERY", "230"))
AGAIN = int(os.environ.get("KILL_AGAIN", "2" if IS_SANITIZED else "5"))
ALWAYS = ("linkat", "renameat", "renameat2", "unlinkat")  # few, and each matters
WORKERS = int(os.environ.get("KILL_WORKERS", str(os.cpu_count())))


class Scenes:
    """For scenes of a kind."""

    kind, options = None, {}

    def scene(self):
        return Scene(**self.options)

    def test_uninterrupted(self):
        """What the other tests compare with is what happens."""
        with self.scene() as scene:
            status, said = scene.begin()
            self.assertEqual((status, scene.differences(), scene.unexplained()), (0, [], []), said)

    def test_at_every_system_call(self):
        with self.scene() as scene:
            points = scene.points(*scene.work())
        self.assertGreater(len(points), 300)
        tried = points[FROM::EVERY]
        tried += [point for point in points if point.call in ALWAYS and point not in tried]
        killed = sum(self.each(self.kill, tried))
        print(f"{self.kind}: {killed} kill points of {len(points)}", flush=True)
        self.assertGreater(killed, len(tried) / 2)  # how often it polls is not always the same

    def test_again_while_it_is_resumed(self):
        with self.scene() as scene:
            firsts = scene.points(*scene.work())[AGAIN_EVERY // 2::AGAIN_EVERY]
        seconds = {}
        for first, points in zip(firsts, self.each(self.points_of_resume, firsts)):
            seconds[first] = points[::max(1, len(points) // AGAIN)]
        pairs = [(first, second) for first, points in seconds.items() for second in points]
        killed = sum(self.each(self.kill_again, pairs))
        print(f"{self.kind}: {killed} kill points in {len(firsts)} resumes", flush=True)
        self.assertGreater(killed, len(pairs) / 2)

    def each(self, attempt, points):
        """What came of it at each, after a look at what was found wrong."""
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            for point, (result, found) in zip(points, pool.map(attempt, points)):
                with self.subTest(" / ".join(map(str, point))):
                    self.assertEqual(found, [])
                yield result

    def kill(self, point):
        """Kills one there; whether it was, and what is wrong then or after the resume."""
        with self.scene() as scene:
            status, said = scene.begin(kill_at=point)
            if status == 0:
                return False, scene.differences()
            if status != -signal.SIGKILL:
                return True, [f"status {status}: {said}"]
            return True, scene.unexplained() or problems_of_end(scene)

    def points_of_resume(self, point):
        """Where the resume of a run that was killed there can be killed."""
        with self.scene() as scene:
            scene.begin(kill_at=point)
            return scene.points(*scene.go_on()), scene.differences()

    def kill_again(self, pair):
        """Kills one there, and its resume; whether that was, and what is wrong in the end."""
        first, second = pair
        with self.scene() as scene:
            scene.begin(kill_at=first)
            status, said = scene.run(*scene.go_on(), kill_at=second)
            if status == 0:
                return False, scene.differences()
            if status != -signal.SIGKILL:
                return True, [f"status {status}: {said}"]
            return True, problems_of_end(scene)


def problems_of_end(scene):
    """Finishes what was killed, and then what is unlike an uninterrupted run."""
    status, said = scene.run(*scene.go_on())
    return scene.differences() if status == 0 else [f"went on with {status}: {said}"]


@unittest.skipUnless(has_strace(), "processes cannot be traced here")
class Script(Scenes, unittest.TestCase):
    kind = "a script"


@unittest.skipUnless(has_strace(), "processes cannot be traced here")
class Tasks(Scenes, unittest.TestCase):
    kind = "a script with tasks"
    options = {"script": "kill_tasks.lua", "at_once": 16}


@unittest.skipUnless(has_strace(), "processes cannot be traced here")
class Plan(Scenes, unittest.TestCase):
    kind = "a plan that is applied"
    options = {"is_planned": True, "at_once": 16}


@unittest.skipUnless(has_strace(), "processes cannot be traced here")
class Undo(Scenes, unittest.TestCase):
    kind = "an undo"
    options = {"is_undone": True, "at_once": 16}


if __name__ == "__main__":
    unittest.main()
