# SPDX-License-Identifier: MIT
"""Runs programs, in pairs, and makes rows of what they took."""

import json
import os
import shutil
import statistics
import subprocess
import sys

import web

HERE = os.path.dirname(os.path.abspath(__file__))
TOKEN = "bench-token-not-a-secret"

# Else the size of a block that is wiped or copied would count as so many instructions.
WITHOUT_REP = ("glibc.cpu.x86_rep_stosb_threshold=1000000000:"
               "glibc.cpu.x86_rep_movsb_threshold=1000000000")

BETTER = {">=": lambda value, goal: value >= goal, "<=": lambda value, goal: value <= goal}


class Usage:
    """What one run took: seconds, and kB at the peak."""

    def __init__(self, text):
        taken = json.loads(text)
        self.wall = taken["wall"]
        self.cpu = taken["user"] + taken["system"]
        self.peak_kb = taken["peak_kb"]
        self.faults = taken["faults"]


def figure(value):
    """Three significant digits, without an exponent."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def row(name, unit, ours, peer, ratios, goal=None, note=""):
    """One result. ours, peer and ratios are lists; goal is (">=", 0.85), or None for a mere figure.

    Without ratios the goal is for our figure itself.
    """
    median = statistics.median(ratios) if ratios else None
    judged = statistics.median(ours) if median is None else median
    return {
        "name": name,
        "unit": unit,
        "ours": statistics.median(ours) if ours else None,
        "peer": statistics.median(peer) if peer else None,
        "ratio": median,
        "min": min(ratios) if ratios else None,
        "max": max(ratios) if ratios else None,
        "n": len(ratios) or len(ours),
        "goal": f"{goal[0]} {goal[1]:g}" if goal else None,
        "is_met": BETTER[goal[0]](judged, goal[1]) if goal else None,
        "note": note,
    }


class Bench:
    """The programs, where results go, and how often each pair is run."""

    def __init__(self, build, pairs):
        self.build = build
        self.place = build.parent / "bench"
        self.place.mkdir(exist_ok=True)
        self.pairs = pairs
        self.many_pairs = 2 * pairs + 1  # where a goal stands on the median of times
        self.tshost_program = str(build / "tshost")
        self.loop_program = str(build / "tests/bench/bench_c_loop")
        self.unrecorded_program = str(build / "tests/bench/bench_unrecorded")
        self.measure_program = str(build / "tests/bench/bench_measure")
        self.state = self.place / "state"
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir(parents=True)
        self.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("CLOUDFLARE", "SSL_CERT", "CURL_", "GLIBC_TUNABLES", "NODE_"))
        }
        self.environment |= {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_ACCOUNT_ID": web.ACCOUNT,
                             "TSHOST_STATE": str(self.state), "HOME": str(self.state)}

    def tshost(self, url, script, *arguments, options=()):
        return [self.tshost_program, "--base-url", url, "--rate", "1000000000/1", "--concurrency",
                "32", "--quiet", *options, f"{HERE}/lua/{script}", *map(str, arguments)]

    def loop(self, url, kind, count, *options):
        bodies = {"create": web.create_body(), "edit": web.update_body(),
                  "put": web.update_body(), "bulk": web.update_body()}
        body = ["-b", bodies[kind]] if kind in bodies else []
        return [self.loop_program, *map(str, options), *body, kind, url, str(count)]

    def run(self, command, environment=None, prefix=()):
        """Runs it, and prefix before what measures it; whatever is wrong ends the bench."""
        file = self.place / "usage.json"
        done = subprocess.run([*prefix, self.measure_program, str(file), *command],
                              env=self.environment | (environment or {}),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\nended with {done.returncode}: {done.stdout[-2000:]}"
                     f"{done.stderr[-2000:]}")
        return Usage(file.read_text())

    def pair(self, ours, peer, ours_environment=None, peer_environment=None, pairs=None, prefix=()):
        """Runs both in turn, so that what else the machine does hits both; one run each goes ahead."""
        self.run(ours, ours_environment, prefix)
        self.run(peer, peer_environment, prefix)
        return [(self.run(ours, ours_environment, prefix), self.run(peer, peer_environment, prefix))
                for _ in range(pairs or self.pairs)]

    def instructions(self, command, environment=None):
        """User instructions of a whole run, as valgrind counts them."""
        environment = self.environment | {"GLIBC_TUNABLES": WITHOUT_REP} | (environment or {})
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        for line in done.stderr.splitlines():
            if "Collected :" in line and done.returncode == 0:
                return int(line.split(":")[1])
        sys.exit(f"valgrind {' '.join(command)}: {done.stderr[-2000:]}")

    def instructions_each(self, command_of, few=200, many=1200, environment=None):
        """User instructions of one more request; command_of(count) makes the command."""
        return (self.instructions(command_of(many), environment)
                - self.instructions(command_of(few), environment)) / (many - few)


def rate_row(name, pairs, count, goal=None, note=""):
    """Requests per second, ours over the peer's."""
    return row(name, "requests/s", [count / ours.wall for ours, _ in pairs],
               [count / peer.wall for _, peer in pairs],
               [peer.wall / ours.wall for ours, peer in pairs], goal, note)


def cpu_row(name, pairs, count, goal=None, note=""):
    """CPU of each request, ours over the peer's."""
    return row(name, "µs of CPU", [ours.cpu / count * 1e6 for ours, _ in pairs],
               [peer.cpu / count * 1e6 for _, peer in pairs],
               [ours.cpu / peer.cpu for ours, peer in pairs], goal, note)
