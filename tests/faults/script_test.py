# SPDX-License-Identifier: MIT
"""The same server against the whole program and its scripts: a write is applied once wherever its
exchange is cut, hostile answers end in a clear error in bounded memory, and nothing goes elsewhere.
"""

import gzip
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import unittest

from client import HAS_HONEST_MEMORY
from server import CLOSE, KEEP, RESET, Server, answer

TSHOST = os.environ.get("TSHOST", "")
HERE = os.path.dirname(os.path.abspath(__file__))
ACCOUNT = "0123456789abcdef0123456789abcdef"
WARM = "0x4AAAAAAAAAAAAAAAAWARM"
SLOW_SITEKEY = "0x4AAAAAAAAAAAAAAAAAslow"
UNKNOWN = 10  # the exit status of a run that leaves a write in doubt
UNREACHABLE = 9
PEAK_KB = 80 * 1024  # answers of up to 32 MB are taken; the program itself needs 12
MEGABYTE = 1 << 20


def run(server, script, arguments=(), options=()):
    """Runs tshost on a script of this directory in a world of its own; returns the process."""
    with tempfile.TemporaryDirectory() as home:
        token = os.path.join(home, "token")
        with open(token, "w", encoding="ascii") as file:
            file.write("sandbox-token-not-a-secret")
        os.chmod(token, 0o600)
        command = [TSHOST, "--base-url", server.url("/client/v4"), "--account", ACCOUNT]
        # No test here is about waiting; retry_test.py is.
        command += ["--token-file", token, "--max-wait", "0", *options, os.path.join(HERE, script), *arguments]
        environment = {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home}
        return subprocess.run(
            command, capture_output=True, timeout=120, check=False, cwd=home, env=environment
        )


def lines(process):
    return [json.loads(line) for line in process.stdout.decode().splitlines()]


def envelope(result, **more):
    whole = {"success": True, "errors": [], "messages": [], "result": result, **more}
    return answer(json.dumps(whole).encode())


GONE = answer(b'{"success":false,"errors":[{"code":10404,"message":"no such widget"}],'
              b'"messages":[],"result":null}', status="404 Not Found")


def widget(sitekey, name, rotations=0):
    """A widget as the API shows it."""
    return {
        "sitekey": sitekey, "secret": f"0x4AAAAAAAAAAAAAAAAAAAAAmade-up-secret{rotations}",
        "name": name,
        "domains": ["acme.example"], "mode": "managed", "region": "world",
        "clearance_level": "no_clearance", "bot_fight_mode": False, "ephemeral_id": False,
        "offlabel": False, "created_on": "2026-01-02T03:04:05.5Z",
        "modified_on": "2026-01-02T03:04:05.5Z",
    }


class Api:
    """Enough of the API: it applies every complete write, and cuts the one after a read of WARM."""

    def __init__(self, cuts):
        self.cuts = iter(cuts)
        self.armed = None
        self.lock = threading.Lock()
        self.applied = []  # (method, sitekey or name)
        self.longest = 0   # bytes of the longest answer to a write

    def __call__(self, exchange):
        if exchange.sock.recv(4, 2) == b"GET ":  # MSG_PEEK
            exchange.send(self.read(exchange.read_all()))
            return KEEP
        with self.lock:
            cut, self.armed = self.armed, None
        side, at, how = cut or ("answer", 1 << 30, KEEP)
        if side == "request":
            exchange.read(at)
            if exchange.is_complete():
                self.apply(exchange)
            return how
        exchange.read_all()
        text = self.apply(exchange)
        exchange.send(text[:at])
        return how

    def read(self, target):
        sitekey = target.rpartition("/")[2]
        if not sitekey.startswith("0x"):
            with self.lock:
                made = [widget(f"0x4{n:021}", name) for n, (method, name) in enumerate(self.applied)
                        if method == "POST"]
            info = {"page": 1, "per_page": 1000, "count": len(made), "total_count": len(made)}
            return envelope(made, result_info=info)
        with self.lock:
            if sitekey == WARM:
                self.armed = next(self.cuts, None)
            if ("DELETE", sitekey) in self.applied:
                return GONE
            word = "new" if ("PUT", sitekey) in self.applied else "old"
            rotations = self.applied.count(("POST", sitekey))
        return envelope(widget(sitekey, f"{word} {sitekey}", rotations))

    def apply(self, exchange):
        method = exchange.received.partition(b" ")[0].decode()
        body = json.loads(exchange.received.partition(b"\r\n\r\n")[2] or b"{}")
        subject = re.search(r"0x4\w*", body.get("name") or exchange.target()).group()
        with self.lock:
            self.applied.append((method, subject))
            rotations = self.applied.count(("POST", subject))
            text = envelope(widget(subject, body.get("name", "old " + subject), rotations))
            self.longest = max(self.longest, len(text))
        return text


class Slow(Api):
    """Never answers a create, and carries it out when the list has been read twice in vain."""

    def __init__(self):
        super().__init__([])
        self.looks = 0

    def __call__(self, exchange):
        if exchange.sock.recv(4, 2) == b"GET ":  # MSG_PEEK
            return super().__call__(exchange)
        exchange.read_all()
        with self.lock:
            self.applied.append(("POST", "slow"))
        exchange.sock.recv(1)  # until the client hangs up
        return CLOSE

    def read(self, target):
        sitekey = target.rpartition("/")[2]
        found = widget(sitekey if sitekey.startswith("0x") else SLOW_SITEKEY, "slow")
        if sitekey.startswith("0x"):
            return envelope(found)
        self.looks += 1
        rows = [found] if self.looks > 2 else []
        body = {"success": True, "errors": [], "messages": [], "result": rows}
        return answer(json.dumps(body).encode(), headers="Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n")


class Writes(unittest.TestCase):
    def cut(self, kind, cuts):
        """One write for each cut; returns the program, what it said of each, and the API."""
        api = Api(cuts)
        sitekeys = [f"0x4AAAAAAAAAAAAAAAA{number:05}" for number in range(len(cuts))]
        with Server(api) as server:
            options = ["--allow", "delete,rotate"]
            done = run(server, "writes.lua", [kind, *sitekeys], options)
        self.assertEqual(server.failures, [])
        results = lines(done)
        self.assertEqual(len(results), len(cuts), done.stderr.decode())
        return done, list(zip(cuts, sitekeys, results)), api, server

    def applied_once(self, kind, is_settled=False):
        """Where reading shows what became of it, it is applied; else it may have stayed unknown."""
        _, _, api, server = self.cut(kind, [("answer", 1 << 30, KEEP)])
        self.assertEqual(len(api.applied), 1)
        request, text = server.longest, api.longest
        for how in (CLOSE, RESET):
            cuts = [("request", at, how) for at in (0, 1, request // 2, request - 1, request)]
            cuts += [("answer", at, how) for at in range(0, text, 40)]
            cuts += [("answer", text - 1, how), ("answer", text, how)]
            done, outcomes, api, _ = self.cut(kind, cuts)
            status = 0 if is_settled else UNKNOWN
            self.assertEqual(done.returncode, status, done.stderr.decode())
            is_fine = all if is_settled else any
            self.assertTrue(is_fine(result["ok"] for _, _, result in outcomes))
            for cut, sitekey, result in outcomes:
                seen = [name for _, name in api.applied].count(sitekey)
                with self.subTest(kind=kind, cut=cut, result=result):
                    self.assertLessEqual(seen, 1, "applied twice")
                    if result["ok"]:
                        self.assertEqual(seen, 1, "reported as done and never applied")
                    else:
                        self.assertEqual(result["kind"], "transport")
                        self.assertIn("127.0.0.1:", result["text"])
                    if cut == ("answer", text, CLOSE):
                        self.assertTrue(result["ok"])

    def test_create(self):
        self.applied_once("create")

    def test_a_create_that_is_slower_than_the_timeout(self):
        """The service may be at it still when nobody waits for the answer any more."""
        api = Slow()
        with Server(api) as server:
            done = run(server, "writes.lua", ["create", "slow"], ["--timeout", "0.5"])
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(len(api.applied), 1)
        self.assertIn("1 created, 1 settled by reading", done.stderr.decode())

    def test_update(self):
        self.applied_once("update", is_settled=True)

    def test_delete(self):
        self.applied_once("delete", is_settled=True)

    def test_rotate(self):
        self.applied_once("rotate", is_settled=True)


def always(text, how=CLOSE):
    def script(exchange):
        exchange.read_all()
        exchange.send(text)
        return how

    return script


def flood(first, endless):
    def script(exchange):
        exchange.read_all()
        exchange.send(first)
        for data in endless:
            exchange.send(data)  # raises once the client has gone
        return CLOSE

    return script


class Reads(unittest.TestCase):
    def ask(self, script, kind, *words, options=(), status=UNREACHABLE, then=None):
        """A read of one and of all fail with this kind of error (or `then` the second with that)
        and these words in its text; returns both."""
        with Server(script) as server:
            done = run(server, "reads.lua", options=options)
        self.assertEqual(server.failures, [])
        said = done.stderr.decode()  # must be UTF-8, whatever came
        self.assertEqual(done.returncode, status, said)
        self.assertIsNone(re.search(r"[^\n\x20-\x7e]", said), "control characters on a terminal")
        results = lines(done)
        self.assertEqual([result["what"] for result in results], ["get", "all"])
        for result, expected in zip(results, (kind, then or kind)):
            self.assertEqual(result["failure"]["kind"], expected, result)
            for word in words:
                self.assertIn(word, result["failure"]["text"])
            if HAS_HONEST_MEMORY:
                self.assertLess(result["peak_kb"], PEAK_KB)
        return results

    def test_closed_before_any_answer(self):
        self.ask(always(b""), "transport", "cut before any answer")

    def test_a_truncated_body(self):
        text = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"success\":true"
        self.ask(always(text), "transport", "cut in mid-answer")

    def test_a_truncated_body_that_says_nothing_of_its_length(self):
        self.ask(always(b"HTTP/1.1 200 OK\r\n\r\n{\"success\":true"), "decode", "not JSON")

    def test_an_answer_that_stops(self):
        def script(exchange):
            exchange.read_all()
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
            exchange.read(1 << 30)
            return CLOSE

        self.ask(script, "timeout", "0.3 s", options=["--timeout", "0.3"])

    def test_a_body_of_a_hundred_megabytes(self):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunk = b"%x\r\n%s\r\n" % (MEGABYTE, b"x" * MEGABYTE)
        self.ask(flood(head, itertools.repeat(chunk, 100)), "decode", "larger than")

    def test_a_packed_body_of_a_hundred_megabytes(self):
        """Only lists are asked for packed; the answer about one widget is left as it came."""
        packed = gzip.compress(b"\0" * (100 * MEGABYTE))
        text = answer(packed, headers="Content-Encoding: gzip\r\n")
        results = self.ask(always(text), "decode")
        self.assertIn("cannot be read", results[0]["failure"]["text"])
        self.assertIn("larger than", results[1]["failure"]["text"])

    def test_headers_without_an_end(self):
        filler = itertools.repeat(b"X-Filler: abcdefghijklmnopqrstuvwxyz\r\n" * 1000)
        self.ask(flood(b"HTTP/1.1 200 OK\r\n", filler), "decode", "headers")

    def test_invalid_utf_8(self):
        self.ask(always(answer(b"\xff\xfe{")), "decode", "UTF-8")
        named = json.dumps(widget("0x4AAAAAAAAAAAAAAAAAAAAA", "NAME")).encode()
        text = b'{"success":true,"errors":[],"messages":[],"result":%s}' % named
        self.ask(always(answer(text.replace(b"NAME", b"\xc3\x28"))), "decode", "UTF-8")

    def test_a_secret_of_a_megabyte(self):
        """It is the server's fault, so an error that is returned and none that is raised."""
        huge = {**widget("0x4AAAAAAAAAAAAAAAAAAAAA", "acme"), "secret": "x" * MEGABYTE}
        results = self.ask(always(envelope(huge)), "decode")
        self.assertIn("a secret that is too long", results[0]["failure"]["text"])

    def test_json_nested_ten_thousand_deep(self):
        deep = b"[" * 10000 + b"]" * 10000
        text = b'{"success":true,"errors":[],"messages":[],"result":%s}' % deep
        self.ask(always(answer(text)), "decode", "nested")
        self.ask(always(answer(deep)), "decode", "nested")

    def test_an_error_page(self):
        text = answer(b"<html><h1>Bad Gateway</h1></html>", "502 Bad Gateway")
        self.ask(always(text.replace(b"application/json", b"text/html")), "http", "502", then="transport")

    def test_an_error_with_control_characters(self):
        text = (
            b'{"success":false,"errors":[{"code":10400,"message":"\\u001b[2Jgone\\r\\nfine"}],'
            b'"messages":[],"result":null}'
        )
        self.ask(always(answer(text, "400 Bad Request")), "api", "gone", status=9)

    def test_a_redirect_to_another_port(self):
        with Server(always(envelope(widget(WARM, "stolen")))) as target:
            for status in ("302 Found", "308 Permanent Redirect"):
                headers = f"Location: {target.url('/client/v4')}\r\n"
                self.ask(always(answer(b"", status, headers)), "http", "redirect")
            self.redirect_writes(f"Location: {target.url('/client/v4')}\r\n")
        self.assertEqual(target.connections, 0)

    def redirect_writes(self, headers):
        def script(exchange):
            target = exchange.read_all()
            if exchange.received.startswith(b"GET "):
                exchange.send(envelope(widget(target.rpartition("/")[2], "old")))
            else:
                exchange.send(answer(b"", "307 Temporary Redirect", headers))
            return KEEP

        for kind in ("create", "update", "delete", "rotate"):
            with Server(script) as server:
                done = run(server, "writes.lua", [kind, WARM], ["--allow", "delete,rotate"])
            self.assertEqual([result["kind"] for result in lines(done)], ["http"])
            self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    if not TSHOST:
        sys.exit("set TSHOST to the path of the program")
    unittest.main()
