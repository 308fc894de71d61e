#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""Lists of any length: serves /N/client/v4/... as an account of N widgets, a page made when asked for.

Usage: fleet.py; prints the port it listens on, ends with its standard input.
"""

import asyncio
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import web

MARK = "#page##"  # seven characters, as its number has


class Fleet:
    """The server as a process of its own. Use as a context manager."""

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-B", __file__], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()

    def url(self, count):
        return f"http://127.0.0.1:{self.port}/{count}/client/v4"


def rows_template():
    """A page of rows whose sitekeys and names hold the page's number."""
    return [web.widget(f"0x4AAAAAAA{MARK}{i:06d}", f"acme {MARK}-{i:04d}", web.DOMAINS)
            for i in range(web.PAGE)]


TEMPLATE = rows_template()
FULL = web.json.dumps(TEMPLATE, separators=(",", ":"))


def page(number, count):
    rows = max(0, min(web.PAGE, count - (number - 1) * web.PAGE))
    text = FULL if rows == web.PAGE else web.json.dumps(TEMPLATE[:rows], separators=(",", ":"))
    info = {"page": number, "per_page": web.PAGE, "count": rows, "total_count": count,
            "total_pages": -(-count // web.PAGE)}
    text = text.replace(MARK, f"{number:07d}")
    return (f'{{"result":{text},"success":true,"errors":[],"messages":[],'
            f'"result_info":{web.json.dumps(info)}}}').encode()


async def answer(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            target = urlsplit(head.split(b" ", 2)[1].decode())
            number = int(parse_qs(target.query).get("page", ["1"])[0])
            body = page(number, int(target.path.split("/")[1]))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                         b"Content-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
