# SPDX-License-Identifier: MIT
"""A proxy that cuts connections: in front of a sandbox it makes a network that loses requests, and
answers, at any byte of either.

`decide` is asked once for each exchange and says where it is cut, or None. An answer is cut only
when the server has given it whole, so that what a client reads afterwards is what was done.
"""

import asyncio
import random
import re
import socket
import struct

from loop_server import LIMIT, LoopServer

CLOSE = "closed"  # an orderly end
RESET = "reset"   # an abortive one
REQUEST = "request"
ANSWER = "answer"


SITEKEY = re.compile(rb"0x4[\w-]{21}\b")


class Cut:
    """An end after `at` bytes of the request, which the server does not get whole, or of the answer."""

    def __init__(self, side, at, how):
        self.side = side
        self.at = at
        self.how = how

    def __str__(self):
        return f"{self.how} after {self.at} bytes of the {self.side}"


class Dice:
    """Cuts a share of all exchanges. What happens to one follows from the seed, what it asks for and
    how often that was asked for before: not from the order in which the exchanges come."""

    SIZE_GUESS = 900  # bytes of an answer; a cut behind its end hits the connection after the answer

    def __init__(self, seed, share):
        self.seed = seed
        self.share = share
        self.times = {}
        self.names = {}  # of the widgets made under way: their sitekeys are never the same

    def learn(self, request, answer):
        """Notes the name of a widget that was just made."""
        if request.startswith(b"POST") and b"rotate_secret" not in request.partition(b"\r\n")[0]:
            sitekey = SITEKEY.search(answer)
            name = re.search(rb'"name":"([^"]*)"', answer)
            if sitekey and name:
                self.names[sitekey.group()] = name.group(1)

    def __call__(self, request):
        head, _, body = request.partition(b"\r\n\r\n")
        what = head.split(b" HTTP")[0] + b" " + body
        what = SITEKEY.sub(lambda found: self.names.get(found.group(), found.group()), what)
        count = self.times[what] = self.times.get(what, 0) + 1
        dice = random.Random(b"%s %s %d" % (self.seed.encode(), what, count))
        if dice.random() >= self.share:
            return None
        how = dice.choice((CLOSE, RESET))
        if dice.random() < 0.4:
            at = 0 if dice.random() < 0.3 else dice.randrange(len(request))
            return Cut(REQUEST, at, how)
        at = 0 if dice.random() < 0.3 else dice.randrange(self.SIZE_GUESS)
        return Cut(ANSWER, at, how)


class Proxy(LoopServer):
    """The latency, in seconds, lies between the server's answer and the client; what is cut is lost at
    once."""

    def __init__(self, url, decide, latency=0):
        super().__init__()
        self.upstream = int(re.search(r":(\d+)/", url).group(1))
        self.decide = decide
        self.latency = latency
        self.exchanges = 0
        self.cuts = []  # (request line, Cut)
        self.failures = []

    async def talk(self, reader, writer):
        upstream = None
        try:
            while request := await read_message(reader):
                if not upstream:
                    upstream = await asyncio.open_connection("127.0.0.1", self.upstream, limit=LIMIT)
                if not await self._exchange(request, writer, upstream):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone
        except Exception as problem:  # for the test to show
            self.failures.append(repr(problem))
        finally:
            if upstream:
                upstream[1].close()

    async def _exchange(self, request, writer, upstream):
        """True when the connection goes on."""
        self.exchanges += 1
        cut = self.decide(request)
        if cut:
            self.cuts.append((request.partition(b"\r\n")[0].decode(), cut))
        if cut and cut.side == REQUEST:
            upstream[1].write(request[:cut.at])
            end(upstream[1], CLOSE)
            end(writer, cut.how)
            return False
        upstream[1].write(request)
        answer = await read_message(upstream[0])
        self.decide.learn(request, answer)
        if self.latency and not cut:
            await asyncio.sleep(self.latency)
        writer.write(answer[:cut.at] if cut else answer)
        if cut:
            end(writer, cut.how)
            return False
        await writer.drain()
        return True


def end(writer, how):
    if how == RESET:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
    else:
        writer.close()


async def read_message(reader):
    """One request or answer, whole; nothing at the end of the stream."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = re.search(rb"(?i)\r\ncontent-length:\s*(\d+)", head)
    return head + await reader.readexactly(int(length.group(1))) if length else head
