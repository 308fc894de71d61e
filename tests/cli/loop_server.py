# SPDX-License-Identifier: MIT
"""An HTTP server on loopback, in a thread of this process, that ends with its `with` block."""

import asyncio
import json
import threading

LIMIT = 1 << 20  # bytes of a message's head


def envelope(result, **more):
    """A whole answer of the API that holds the result."""
    body = json.dumps({"success": True, "errors": [], "messages": [], "result": result, **more})
    return (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)) + body.encode()


class LoopServer:
    """Serves each connection by `talk(reader, writer)`, which subclasses have; `url` leads to it."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._writers = set()
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
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096, limit=LIMIT))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/client/v4"
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for writer in self._writers:
            writer.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        try:
            await self.talk(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
