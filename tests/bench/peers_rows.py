# SPDX-License-Identifier: MIT
"""tshost against what people use today: the official npm package, and the curl command with jq."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from measure import HERE, row
from relay import Relay
from web import Web

# Kind, script, widgets, requests in flight; the goals: wall, CPU, peak memory.
JOBS = [
    ("get", "get.lua", 2000, 32, (15, 20, 8)),
    ("edit", "edit.lua", 2000, 32, (20, 25, 10)),
    ("list", "list.lua", 10000, 32, (10, 12, 5)),
    ("get", "get.lua", 1000, 1, None),
    ("edit", "edit.lua", 500, 1, None),
]
DISTANT_JOBS = [("get", "get.lua", 960, 32, None), ("edit", "edit.lua", 480, 32, None),
                ("list", "list.lua", 10000, 32, None)]
LABELS = {"get": "GET", "edit": "read and write", "list": "list of 10,000"}


def install(bench):
    """The SDK that the contract tests pin, into the place for results. None without npm."""
    if not shutil.which("npm"):
        return None
    place = bench.place / "sdk"
    place.mkdir(exist_ok=True)
    pinned = Path(HERE).parent / "contract" / "npm"
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(pinned / name, place / name)
    shutil.copy(Path(HERE) / "sdk" / "job.mjs", place / "job.mjs")
    if not (place / "node_modules" / "cloudflare").exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=place, check=True)
    return str(place / "job.mjs")


def compare(label, pairs, goals):
    """Everything here is the peer over tshost: how many times more it takes."""
    triples = (
        ("wall", "ms", lambda usage: usage.wall * 1e3),
        ("CPU", "ms", lambda usage: usage.cpu * 1e3),
        ("peak memory", "MB", lambda usage: usage.peak_kb / 1024),
    )
    for (what, unit, of), goal in zip(triples, goals or (None,) * 3):
        yield row(f"{label}: {what}", unit, [of(ours) for ours, _ in pairs],
                  [of(peer) for _, peer in pairs], [of(peer) / of(ours) for ours, peer in pairs],
                  goal and (">=", goal))


def sdk_rows(bench, url, authority, program, jobs, where, pairs):
    trust = {"SSL_CERT_FILE": authority}
    theirs = {"CLOUDFLARE_BASE_URL": url, "NODE_EXTRA_CA_CERTS": authority}
    for kind, script, count, in_flight, goals in jobs:
        options = ("--concurrency", str(in_flight))
        taken = bench.pair(bench.tshost(url, script, count, in_flight, options=options),
                           ["node", program, kind, str(count), str(in_flight)],
                           trust, theirs,
                           pairs=bench.many_pairs if goals else min(bench.pairs, pairs))
        label = f"npm SDK ÷ tshost, TLS, {in_flight} in flight{where}, {LABELS[kind]}"
        yield from compare(label, taken, goals)


def curl_rows(bench, web):
    trust = {"SSL_CERT_FILE": web.authority}
    theirs = trust | {"CLOUDFLARE_BASE_URL": web.tls, "PATH": os.environ["PATH"]}
    for kind, script, count, in_flight, _ in JOBS[:3]:
        pairs = bench.pair(bench.tshost(web.tls, script, count, in_flight),
                           [f"{HERE}/curl_job", kind, str(count), str(in_flight),
                            str(bench.place / "curl")],
                           trust, theirs, pairs=min(bench.pairs, 5))
        label = f"curl --parallel and jq ÷ tshost, TLS, {in_flight} in flight, {LABELS[kind]}"
        yield from compare(label, pairs, None)


def rows(bench):
    with Web(bench.place / "nginx") as web:
        program = install(bench)
        if program:
            yield from sdk_rows(bench, web.tls, web.authority, program, JOBS, "", 5)
            with Relay(web.tls_port, 50) as relay:
                url = f"https://127.0.0.1:{relay.port}/client/v4"
                yield from sdk_rows(bench, url, web.authority, program, DISTANT_JOBS,
                                    ", 50 ms away", 3)
        else:
            print("npm is not installed: the official package is left out", file=sys.stderr)
        if shutil.which("jq") and shutil.which("curl"):
            yield from curl_rows(bench, web)
        else:
            print("curl or jq is not installed: both are left out", file=sys.stderr)
