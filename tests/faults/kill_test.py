# SPDX-License-Identifier: MIT
"""A run of twenty operations is killed at every system call by which any of its threads changes
files or talks to others. Whenever that is, the journal is sound and explains what the server has;
and when the run was resumed, all is as if nobody had killed it. The same when the resume is killed
as well, and resumed.

KILL_EVERY says at every which call, 1 for all of them, and KILL_FROM at which the first time.
KILL_AGAIN_EVERY says the same of runs whose resume is killed, and KILL_AGAIN at how many calls
each.
"""

import concurrent.futures
import os
import unittest
from functools import partial

from kill_bed import IS_SANITIZED, Scene, can_trace, points_at

EVERY = int(os.environ.get("KILL_EVERY", "20" if IS_SANITIZED else "10"))
FROM = int(os.environ.get("KILL_FROM", "0"))
AGAIN_EVERY = int(os.environ.get("KILL_AGAIN_EVERY", "120"))
AGAIN = int(os.environ.get("KILL_AGAIN", "3" if IS_SANITIZED else "5"))
ALWAYS = ("link", "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat")  # few

# A run can be shorter than the one whose calls were listed, and end before it is killed: how many
# connections it opens and how many operations share a commit depends on timing, and what there is
# to resume on what exactly the first kill struck. So several are listed, the one with the fewest
# calls is taken, and where a run makes fewer still there is another try, somewhat earlier.
TRIES = 3
WORKERS = int(os.environ.get("KILL_WORKERS", str(os.cpu_count())))


class Scenes:
    """For scenes of a kind. of_thread: how many calls of the thread that writes the journal are
    tried, beside those that are among the others."""

    kind, options, of_thread = None, {}, 8

    def scene(self):
        return Scene(**self.options)

    def test_uninterrupted(self):
        """What the other tests compare with is what happens."""
        with self.scene() as scene:
            status, said = scene.run(*scene.work())
            self.assertEqual((status, scene.differences(), scene.unexplained()), (0, [], []), said)

    def test_at_every_system_call(self):
        points = self.points(self.listed)
        self.assertGreater(len(points["any"]), 300)
        tried = points["any"][FROM::EVERY]
        tried += [point for name in ALWAYS for point in points.get(name, [])]
        of_thread = points.get("thread1", [])  # other runs leave it half as much
        tried += spread(of_thread[:len(of_thread) // 2], self.of_thread)
        killed = list(filter(None, self.each(self.kill, tried)))
        there = sum(call.thread == 1 and "journal.db" in call.target for call in killed)
        print(f"{self.kind} of {len(points['any'])} calls: killed at {len(killed)} of {len(tried)},"
              f" at {there} on the journal's thread", flush=True)
        self.assertGreaterEqual(len(killed), len(tried) * 0.95)
        self.assertGreaterEqual(there, self.of_thread // 2)

    def test_again_while_it_is_resumed(self):
        firsts = self.points(self.listed)["any"][AGAIN_EVERY // 2::AGAIN_EVERY]
        pairs = []
        for first in firsts:
            points = self.points(self.listed_of_resume, first)["any"]
            pairs += [(first, second) for second in spread(points, AGAIN)]
        killed = list(filter(None, self.each(self.kill_again, *zip(*pairs))))
        print(f"{self.kind}, {len(firsts)} times resumed: killed at {len(killed)} of {len(pairs)}",
              flush=True)
        self.assertGreaterEqual(len(killed), len(pairs) * 0.9)

    def points(self, listed, *at):
        """Where to kill, by kind: at the fewest calls of the kind that any of several runs made."""
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            runs = list(pool.map(lambda _: insist(listed, *at), range(TRIES)))
        self.assertEqual([found for _, found in runs], [[]] * TRIES)
        found = [points_at(calls) for calls, _ in runs if calls]
        return {kind: min((points[kind] for points in found), key=len) for kind in found[0]}

    def listed(self):
        """The calls of a run that is not killed."""
        with self.scene() as scene:
            run = scene.trace(*scene.work())
            return run.calls, scene.differences() if run.status == 0 else [run.said]

    def listed_of_resume(self, point):
        """The calls of a resume, if the run was killed there before."""
        with self.scene() as scene:
            if not scene.trace(*scene.work(), kill_at=point).is_killed():
                return None, []
            run = scene.trace(*scene.go_on())
            return run.calls, scene.differences() if run.status == 0 else [run.said]

    def each(self, attempt, *points):
        """What came of it at each, after a look at what was found wrong. points: as for map."""
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            results = pool.map(partial(insist, attempt), *points)
            for at, (result, found) in zip(zip(*points), results):
                with self.subTest(" / ".join(map(str, at))):
                    self.assertEqual(found, [])
                yield result

    def kill(self, point):
        """Kills one there; at which call, if it came so far, and what is wrong then or after it has
        been resumed."""
        with self.scene() as scene:
            run = scene.trace(*scene.work(), kill_at=point)
            found = run.problems(point) or (run.is_killed() and scene.unexplained())
            return end_of(scene, run, found)

    def kill_again(self, first, second):
        """Kills one there, and its resume; at which call, if they came so far, and what is wrong in
        the end."""
        with self.scene() as scene:
            run = scene.trace(*scene.work(), kill_at=first)
            found = run.problems(first)
            if run.is_killed() and not found:
                run = scene.trace(*scene.go_on(), kill_at=second)
                found = run.problems(second)
            return end_of(scene, run, found)


def spread(points, count):
    """So many of them, if there are, evenly: each in the middle of its part."""
    parts = min(count, len(points))
    return [points[len(points) * (2 * part + 1) // (2 * parts)] for part in range(parts)]


def insist(attempt, *points):
    """What came of the first try that was killed, or in which something was found wrong."""
    for _ in range(TRIES):
        result, found = attempt(*points)
        if result or found:
            break
        points = [*points[:-1], *(last.earlier() for last in points[-1:])]
    return result, found


def end_of(scene, run, found):
    """At which call the run was killed, if it was; and what was found wrong, or is when it has been
    finished."""
    if found:
        return None, found
    if run.is_killed():
        return run.calls[-1], problems_of_end(scene)
    return None, scene.differences()


def problems_of_end(scene):
    """Finishes what was killed, and then what is unlike an uninterrupted run."""
    status, said = scene.run(*scene.go_on())
    return scene.differences() if status == 0 else [f"went on with {status}: {said}"]


@unittest.skipUnless(can_trace(), "processes cannot be traced here")
class Script(Scenes, unittest.TestCase):
    kind = "a script"


@unittest.skipUnless(can_trace(), "processes cannot be traced here")
class Tasks(Scenes, unittest.TestCase):
    kind = "a script with tasks"
    options = {"script": "kill_tasks.lua", "at_once": 16}


@unittest.skipUnless(can_trace(), "processes cannot be traced here")
class Plan(Scenes, unittest.TestCase):
    kind = "a plan that is applied"
    options = {"is_planned": True, "at_once": 16}


@unittest.skipUnless(can_trace(), "processes cannot be traced here")
class Undo(Scenes, unittest.TestCase):
    kind = "an undo"
    options = {"is_undone": True, "at_once": 16}
    of_thread = 0  # many runs do without it


if __name__ == "__main__":
    unittest.main()
