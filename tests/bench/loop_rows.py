# SPDX-License-Identifier: MIT
"""tshost against the same requests in plain C: the cost of Lua, of decoding and of our own code."""

import shutil
import statistics
from types import SimpleNamespace

from measure import cpu_row, rate_row, row
from relay import Relay
from web import Web

GOALS = {"get": (">=", 0.85), "bulk": (">=", 0.80), "create": (">=", 0.80)}

WRITES = ("bulk", "edit", "create")  # without a journal on either side: see journal_rows.py

FEW = 2000  # widgets whose updates are counted under valgrind

# Kind, script, widgets, requests for each of them, and what it is called.
JOBS = [
    ("get", "get.lua", 20000, 1, "GET"),
    ("bulk", "bulk.lua", 10000, 1, "list and PUT of each"),
    ("edit", "edit.lua", 10000, 2, "read and write"),
    ("create", "create.lua", 20000, 1, "POST"),
]


def over(web, scheme):
    """The base URL, and what both programs need to trust it."""
    if scheme == "plain":
        return web.plain, {}, ()
    return web.tls, {"SSL_CERT_FILE": web.authority}, ("-c", web.authority)


def ours(bench, kind, *arguments):
    """tshost as the C loop is: it keeps no journal."""
    command = bench.tshost(*arguments)
    return [bench.unrecorded_program, *command[1:]] if kind in WRITES else command


def saturated(bench, web):
    """Both as fast as they can, 32 in flight."""
    for scheme in ("plain", "TLS"):
        url, trust, options = over(web, scheme)
        for kind, script, count, each, label in JOBS if scheme == "plain" else JOBS[:2]:
            goal = GOALS.get(kind) if scheme == "plain" else None
            pairs = bench.pair(ours(bench, kind, url, script, count, 32),
                               bench.loop(url, kind, count, *options), trust,
                               pairs=bench.many_pairs if goal else bench.pairs)
            name = f"{label}, {scheme}, 32 in flight"
            yield rate_row(f"{name}: requests/s ÷ C loop", pairs, count * each, goal)
            goal = ("<=", 1.25) if kind == "get" and scheme == "plain" else None
            yield cpu_row(f"{name}: CPU ÷ C loop", pairs, count * each, goal)
            if kind == "bulk":
                lists = bench.pair(bench.tshost(url, "list.lua", count),
                                   bench.loop(url, "list", count, *options), trust)
                name = f"PUT of listed widgets, {scheme}, 32 in flight"
                goal = (">=", 0.80) if scheme == "plain" else None
                yield from writes(name, pairs, lists, count, goal)


def writes(name, pairs, lists, count, goal):
    """What the updates took: lists and updates, less the lists alone."""
    alone = [[statistics.median(getattr(run, what) for run in side) for what in ("wall", "cpu")]
             for side in zip(*lists)]
    rest = [tuple(SimpleNamespace(wall=run.wall - wall, cpu=run.cpu - cpu)
                  for run, (wall, cpu) in zip(pair, alone)) for pair in pairs]
    yield rate_row(f"{name}: requests/s ÷ C loop", rest, count, goal)
    yield cpu_row(f"{name}: CPU ÷ C loop", rest, count)


def instructions(bench, web):
    if not shutil.which("valgrind"):
        return
    for kind, script, count, each, label in JOBS:
        if kind == "bulk":
            continue  # depends on the length of the list: below
        taken = bench.instructions_each(lambda n: ours(bench, kind, web.plain, script, n, 32)) / each
        peer = bench.instructions_each(lambda n: bench.loop(web.plain, kind, n)) / each
        yield row(f"{label}, plain, 32 in flight: user instructions ÷ C loop", "instructions",
                  [taken], [peer], [taken / peer], ("<=", 1.20) if kind == "get" else None)
    with Web(bench.place / "nginx-short", FEW) as short:
        taken = (bench.instructions(ours(bench, "bulk", short.plain, "bulk.lua", FEW, 32))
                 - bench.instructions(bench.tshost(short.plain, "list.lua", FEW))) / FEW
        peer = (bench.instructions(bench.loop(short.plain, "bulk", FEW))
                - bench.instructions(bench.loop(short.plain, "list", FEW))) / FEW
    yield row("PUT of listed widgets, plain, 32 in flight: user instructions ÷ C loop",
              "instructions", [taken], [peer], [taken / peer])


def delayed(bench, web):
    """The same where the network takes 50 ms: CPU matters less, what is in flight more."""
    for scheme, port in (("plain", web.plain_port), ("TLS", web.tls_port)):
        with Relay(port, 50) as relay:
            _, trust, options = over(web, scheme)
            url = f"{'http' if scheme == 'plain' else 'https'}://127.0.0.1:{relay.port}/client/v4"
            pairs = bench.pair(bench.tshost(url, "get.lua", 1280, 32),
                               bench.loop(url, "get", 1280, *options), trust, pairs=3)
        name = f"GET, {scheme}, 32 in flight, 50 ms away"
        yield rate_row(f"{name}: requests/s ÷ C loop", pairs, 1280)
        yield cpu_row(f"{name}: CPU ÷ C loop", pairs, 1280)


def versions(bench, web):
    """What HTTP/2 would give, by the C loop; tshost speaks HTTP/1.1."""
    trust = ("-c", web.authority)
    pairs = bench.pair(bench.loop(web.tls, "get", 10000, *trust),
                       bench.loop(web.tls, "get", 10000, "-2", *trust))
    name = "C loop, GET, TLS, 32 in flight: HTTP/1.1 ÷ HTTP/2"
    yield rate_row(f"{name}, requests/s", pairs, 10000)
    yield cpu_row(f"{name}, CPU", pairs, 10000)
    with Relay(web.tls_port, 50) as relay:
        url = f"https://127.0.0.1:{relay.port}/client/v4"
        pairs = bench.pair(bench.loop(url, "get", 1280, *trust),
                           bench.loop(url, "get", 1280, "-2", *trust), pairs=3)
    name = "C loop, GET, TLS, 32 in flight, 50 ms away: HTTP/1.1 ÷ HTTP/2"
    yield rate_row(f"{name}, requests/s", pairs, 1280)


def rows(bench):
    with Web(bench.place / "nginx") as web:
        yield from saturated(bench, web)
        yield from instructions(bench, web)
        yield from delayed(bench, web)
        yield from versions(bench, web)
