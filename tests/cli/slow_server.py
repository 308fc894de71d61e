# SPDX-License-Identifier: MIT
"""A server in this process that answers what it is asked, after a moment."""

import asyncio
import json
import random
import re
import threading


class Server:
    """Answers everything with what was asked for, after a moment. Counts the creates."""

    def __init__(self, seed=0):
        self.created = 0
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self):
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/client/v4"
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader, writer):
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                length = re.search(r"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1])) if length else b"{}"
                method, path = head.split(" ", 2)[:2]
                await asyncio.sleep(self._random.choice((0, 0.002, 0.01, 0.03)))
                writer.write(self._answer(method, path, json.loads(body or b"{}")))
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, method, path, asked):
        sitekey = path.rsplit("/", 1)[1]
        if method == "POST":
            self.created += 1
            sitekey = f"0x4{self.created:021}"
        result = {"sitekey": sitekey, "name": asked.get("name", "acme"), "mode": "managed",
                  "domains": ["acme.example"], "secret": "0x4" + "A" * 30}
        if "?" in sitekey:
            result = []
        body = json.dumps({"success": True, "errors": [], "messages": [], "result": result}).encode()
        return (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body)) + body
