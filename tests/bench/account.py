# SPDX-License-Identifier: MIT
"""A sandbox with widgets in it, and what was asked of it."""

import json
import os
import sys
import urllib.request
from pathlib import Path

import web

sys.path.append(str(Path(__file__).resolve().parent.parent / "contract"))
import serve  # noqa: E402  starts `tshost sandbox` and ends it by its own process id


class Account(serve.Sandbox):
    """Use as a context manager; the options are those of `tshost sandbox`."""

    def __init__(self, bench, *options):
        os.environ["TSHOST"] = bench.tshost_program
        super().__init__(*options)
        self.environment = {"CLOUDFLARE_API_TOKEN": serve.TOKEN}

    def control(self, path, body=None):
        data = None if body is None else body.encode()
        with urllib.request.urlopen(f"{self.origin}/sandbox/{path}", data, timeout=60) as answer:
            return json.load(answer)["result"]

    def fill(self, count):
        for number in range(1, -(-count // web.PAGE) + 1):
            self.control(f"accounts/{serve.ACCOUNT}/widgets", web.page(number, count))

    def requests(self):
        """The history: operation, status and time of each request, oldest first."""
        return self.control("requests")
