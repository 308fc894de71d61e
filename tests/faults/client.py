# SPDX-License-Identifier: MIT
"""Runs the fetch program: requests one after the other in one process, results as dictionaries."""

import json
import os
import subprocess
import sys
import unittest

FETCH = os.environ.get("FETCH", "")

# A sanitizer's own memory would be measured, not the program's.
HAS_HONEST_MEMORY = os.environ.get("IS_SANITIZED", "0") == "0"


def fetch(requests, **options):
    """Requests are (method, url, body); a method in lower case goes out at most once.

    Returns one dictionary for each: code, status, sent, body (its length), peak_kb, ray, error.
    """
    arguments = [FETCH]
    for name, value in options.items():
        arguments += ["--" + name.replace("_", "-"), str(value)]
    for request in requests:
        arguments += request
    done = subprocess.run(arguments, capture_output=True, timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(f"fetch ended with {done.returncode}: {done.stderr.decode()}")
    results = [json.loads(line) for line in done.stdout.decode().splitlines()]
    if len(results) != len(requests):
        raise AssertionError(f"{len(results)} results for {len(requests)} requests")
    return results


def main():
    """Runs the tests of the calling file."""
    if not FETCH:
        sys.exit("set FETCH to the path of the fetch program")
    unittest.main()
