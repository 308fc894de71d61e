# SPDX-License-Identifier: MIT
"""What is sent again over a real connection, and what never is: servers that refuse for a while,
that are away for a while, and that die in mid-run.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import certificates
from script_test import ACCOUNT, TSHOST, envelope, widget
from server import CLOSE, KEEP, RESET, Server, answer

KEY = "0x4AAAAAAAAAAAAAAAAAAAAA"
LIMITED = (b'{"success":false,"errors":[{"code":971,"message":"Please wait"}],"messages":[],'
           b'"result":null}')
WRITES = {
    "POST": "widgets.create { name = 'new', domains = { 'a.example' }, mode = 'managed' }",
    "PUT": f"widgets.update('{KEY}', {{ name = 'new' }})",
    "DELETE": f"widgets.delete '{KEY}'",
}


class Mortal(Server):
    """A server that can go away, so that connections are refused, and come back."""

    def die(self):
        self.is_closing = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def revive(self):
        self.acceptor.join()
        self.is_closing = False
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.acceptor = threading.Thread(target=self.accept)
        self.acceptor.start()

    def __exit__(self, *_):
        if self.is_closing:
            self.revive()
        super().__exit__()


class Api:
    """Keeps every widget as the last write left it; `before` may answer a request instead."""

    def __init__(self, before=lambda method, count: None):
        self.before = before
        self.last_read = None  # the number of the read after which to die
        self.names = {}
        self.asked = []  # methods, in order
        self.lock = threading.Lock()

    def __call__(self, exchange):
        target = exchange.read_all()
        method = exchange.received.partition(b" ")[0].decode()
        with self.lock:
            self.asked.append(method)
            text = self.before(method, self.asked.count(method))
            if text is None:
                text = self.answer(method, target.rpartition("/")[2], exchange.received)
            is_last = method == "GET" and self.asked.count(method) == self.last_read
            if is_last:  # the client must not take the connection for a good one
                exchange.server.die()
                text = text.replace(b"Content-Type", b"Connection: close\r\nContent-Type", 1)
        text, how = text if isinstance(text, tuple) else (text, CLOSE if is_last else KEEP)
        exchange.send(text)
        return how

    def answer(self, method, sitekey, request):
        name = re.search(rb'"name":"(\w*)"', request)
        if method in ("POST", "PUT"):
            self.names[sitekey] = name.group(1).decode()
        return envelope(widget(sitekey, self.names.get(sitekey, "old")))


class Retry(unittest.TestCase):
    def start(self, server, code, *options):
        """tshost on that code, in a world of its own."""
        home = self.enterContext(tempfile.TemporaryDirectory())
        environment = {name: value for name, value in os.environ.items()
                       if name == "PATH" or name.endswith("SAN_OPTIONS")}
        environment.update(HOME=home, CLOUDFLARE_API_TOKEN="sandbox-token-not-a-secret")
        prelude = 'local widgets, task = require "turnstile".widgets, require "task"; '
        process = subprocess.Popen(
            [TSHOST, "--base-url", server.url("/client/v4"), "--account", ACCOUNT, "--allow",
             "delete", "--rate", "100000/1", *options, "-e", prelude + code],
            env=environment, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def run_against(self, before, code, *options):
        """Runs the code to its end; returns status, output, errors and the API."""
        api = Api(before)
        with Mortal(api) as server:
            process = self.start(server, code, *options)
            out, err = process.communicate(timeout=120)
        self.assertEqual(server.failures, [])
        return process.returncode, out, err, api

    def test_a_write_that_drew_a_429_is_sent_twice_and_applied_once(self):
        refusal = answer(LIMITED, "429 Too Many Requests", "Retry-After: 1\r\n")
        for method, code in WRITES.items():
            with self.subTest(method):
                status, _, err, api = self.run_against(
                    lambda m, count, method=method: refusal if m == method and count == 1 else None,
                    f"assert({code})")
                self.assertEqual(status, 0, err)
                self.assertEqual(api.asked.count(method), 2)

    def test_a_date_to_wait_for(self):
        dates = ("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                 "Retry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\n")
        refusal = answer(LIMITED, "429 Too Many Requests", dates)
        status, out, err, api = self.run_against(
            lambda _, count: refusal if count == 1 else None,
            f"print(widgets.get('{KEY}').name)", "--verbose")
        self.assertEqual((status, out, len(api.asked)), (0, "old\n", 2), err)
        self.assertRegex(err, r"HTTP 429; attempt 2 .*\b1(\.\d)? s\n")

    def test_a_read_waits_as_long_as_a_503_asks(self):
        busy = answer(b"", "503 Service Unavailable", "Retry-After: 1\r\n")
        status, _, err, _ = self.run_against(
            lambda _, count: busy if count == 1 else None,
            f"assert(widgets.get '{KEY}')", "--verbose")
        self.assertEqual(status, 0, err)
        self.assertIn("HTTP 503; attempt 2 in 1 s", err)
        busy = busy.replace(b"After: 1", b"After: 900")
        status, out, err, api = self.run_against(
            lambda *_: busy, f"local _, e = widgets.get '{KEY}' print(e)")
        self.assertEqual((status, len(api.asked)), (9, 1), err)
        self.assertIn("it asks to wait 900 s, which is longer than --max-wait allows", out)

    def test_a_write_that_was_cut_is_not_sent_again(self):
        """Wherever it is cut, on a connection that was used before; and nothing can be read."""
        for method, code in WRITES.items():
            for how in (CLOSE, RESET):
                with self.subTest(method=method, how=how):
                    def cut(asked, count, method=method, how=how):
                        is_first_read = asked == "GET" and count == 1
                        return None if is_first_read else (b"", how)

                    status, out, err, api = self.run_against(
                        cut, f"widgets.get '{KEY}'; local ok, e = {WRITES[method]}; "
                        "print(ok, e and e.outcome)", "--max-wait", "0")
                    self.assertLessEqual(api.asked.count(method), 1, err)
                    self.assertIn(status, (9, 10), err)
                    self.assertTrue(out.startswith("nil\t"), out)
                    self.assertEqual(status == 10, api.asked.count(method) == 1, err)

    def test_a_server_that_comes_up_late(self):
        """Connections are refused at first: the write leaves once, when there is somebody."""
        for method in ("POST", "DELETE"):
            with self.subTest(method):
                api = Api()
                with Mortal(api) as server:
                    server.die()
                    process = self.start(server, f"assert({WRITES[method]})", "--verbose")
                    line = process.stderr.readline()
                    self.assertIn("Connection refused; attempt 2 in ", line)
                    server.revive()
                    _, err = process.communicate(timeout=120)
                self.assertEqual((process.returncode, api.asked), (0, [method]), err)

    def test_an_outage_in_mid_run(self):
        """The run waits, says so once, and completes when the API is back."""
        count, api = 200, Api()
        with Mortal(api) as server:
            api.last_read = 50
            process = self.start(server, f"""
              local all = {{}}
              for i = 1, {count} do all[i] = ("0x4AAAAAAAAAAAAAAAA%05d"):format(i) end
              task.each(all, function(key)
                assert(widgets.update(key, {{ name = "new" }}))
              end, {{ concurrency = 16 }})""", "--concurrency", "1", "--progress", "never")
            line = process.stderr.readline()
            self.assertIn("the API cannot be reached: ", line)
            self.assertIn("waiting, for at most ", line)
            server.revive()
            _, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(len(err.splitlines()), 2, err)
        self.assertIn("the API is reached again after ", err)
        self.assertIn(f"{count} updated; {2 * count} requests", err)
        self.assertEqual(list(api.names.values()), count * ["new"])
        self.assertEqual(api.asked.count("PUT"), count)

    def test_an_outage_for_good(self):
        """A bulk run of a thousand stops: few attempts, few lines, and the figures are true."""
        api = Api()
        with Mortal(api) as server:
            api.last_read = 50
            process = self.start(server, """
              local all = {}
              for i = 1, 1000 do all[i] = ("0x4AAAAAAAAAAAAAAAA%05d"):format(i) end
              task.each(all, function(key)
                widgets.update(key, { name = "new" })
              end, { concurrency = 16 })""",
                                 "--concurrency", "1", "--max-wait", "2", "--verbose")
            _, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 9, err)
        attempts = err.count("Connection refused; attempt ")
        self.assertLess(attempts, 100)
        told = [line for line in err.splitlines()
                if "; attempt " not in line and not line.startswith("  next: ")]
        self.assertLessEqual(len(told), 3, told)
        self.assertIn("given up after ", err)
        applied = api.asked.count("PUT")
        self.assertGreater(applied, 30)
        self.assertRegex(err, rf"{applied} updated, \d+ not sent; ")

    def test_a_certificate_that_is_not_trusted(self):
        """Waiting would not mend it: the run ends at once, and says what to look at."""
        store = certificates.Store()
        self.addCleanup(store.close)
        with Server(Api(), store.server_context("127.0.0.1")) as server:
            process = self.start(server, f"widgets.delete '{KEY}'", "--base-url",
                                 f"https://127.0.0.1:{server.port}/client/v4")
            _, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 9, err)
        self.assertIn("no TLS with 127.0.0.1:", err)
        self.assertIn("; waiting does not mend that: check --base-url, ", err)
        self.assertNotIn("waiting, for at most", err)


if __name__ == "__main__":
    if not TSHOST:
        sys.exit("set TSHOST to the path of the program")
    unittest.main()
