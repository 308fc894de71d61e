# SPDX-License-Identifier: MIT
"""A server in this process that answers what it is asked, after a moment."""

import asyncio
import json
import random
import re
import threading

from loop_server import LoopServer, envelope


class Server(LoopServer):
    """Answers everything with what was asked for, after a moment. Counts the creates."""

    def __init__(self, seed=0):
        super().__init__()
        self.created = 0
        self._random = random.Random(seed)

    async def talk(self, reader, writer):
        while head := (await reader.readuntil(b"\r\n\r\n")).decode():
            length = re.search(r"(?i)content-length: (\d+)", head)
            body = await reader.readexactly(int(length[1])) if length else b"{}"
            method, path = head.split(" ", 2)[:2]
            await self.pause()
            writer.write(self._answer(method, path, json.loads(body or b"{}")))

    async def pause(self):
        """Between a request and its answer."""
        await asyncio.sleep(self._random.choice((0, 0.002, 0.01, 0.03)))

    def _answer(self, method, path, asked):
        sitekey = path.rsplit("/", 1)[1]
        if method == "POST":
            self.created += 1
            sitekey = f"0x4{self.created:021}"
        if "?" in sitekey:
            return envelope([])
        return envelope({"sitekey": sitekey, "name": asked.get("name", "acme"), "mode": "managed",
                         "domains": ["acme.example"], "secret": "0x4" + "A" * 30})


class Gate(Server):
    """Answers nothing until it is told to."""

    def __init__(self):
        super().__init__()
        self.is_asked = threading.Event()
        self._is_open = asyncio.Event()

    def open(self):
        self._loop.call_soon_threadsafe(self._is_open.set)

    async def pause(self):
        self.is_asked.set()
        await self._is_open.wait()
