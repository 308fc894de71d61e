#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""A network that takes its time: passes bytes to a port on loopback, half the delay each way.

Usage: relay.py PORT DELAY_MS; prints the port it listens on, ends with its standard input.
"""

import asyncio
import subprocess
import sys
from collections import deque


class Relay:
    """The relay as a process of its own. Use as a context manager."""

    def __init__(self, port, delay_ms):
        self.command = [sys.executable, "-B", __file__, str(port), str(delay_ms)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


class Half(asyncio.Protocol):
    """One end of a connection: what arrives here leaves at the other half, later and in order."""

    def __init__(self, delay):
        self.delay = delay
        self.other = None
        self.transport = None
        self.late = deque()  # what came before there was somewhere to send it

    def connection_made(self, transport):
        self.transport = transport
        while self.late:
            self.deliver(self.late.popleft())

    def deliver(self, data):
        if self.transport is None:
            self.late.append(data)
        elif data is None:
            self.transport.close()
        elif not self.transport.is_closing():
            self.transport.write(data)

    def pass_on(self, data):
        # Timers of the same length fire in the order in which they were set.
        asyncio.get_running_loop().call_later(self.delay, self.other.deliver, data)

    def data_received(self, data):
        self.pass_on(data)

    def connection_lost(self, _):
        self.pass_on(None)


class Front(Half):
    """The client's end; it opens the server's."""

    def __init__(self, delay, port):
        super().__init__(delay)
        self.port = port
        self.opening = None

    def connection_made(self, transport):
        self.other = Half(self.delay)
        self.other.other = self
        loop = asyncio.get_running_loop()
        self.opening = loop.create_task(
            loop.create_connection(lambda: self.other, "127.0.0.1", self.port))
        super().connection_made(transport)


async def serve(port, delay):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Front(delay, port), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 2000))
