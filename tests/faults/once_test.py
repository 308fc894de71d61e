# SPDX-License-Identifier: MIT
"""A write is applied once, wherever the exchange is cut: at every byte of the request and of the
answer, by an orderly end and by a reset, on a connection that was used before and on a new one,
plain and under TLS. What counts is the number of complete requests that the server received.
"""

import threading
import unittest

import certificates
from client import fetch, main
from server import CLOSE, KEEP, RESET, Server, answer

OK = answer(b'{"success":true}')
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'8\r\n{"succes\r\n8\r\ns":true}\r\n0\r\n\r\n'
)
BODY_LENGTH = 16
BODIES = {"post": '{"name":"acme login"}', "put": '{"mode":"managed"}', "delete": "", "get": ""}


class Cut:
    """Where and how one exchange ends: after `at` bytes of the request, or of the answer."""

    def __init__(self, side, at, how, text=OK):
        self.side = side
        self.at = at
        self.how = how
        self.text = text

    def __str__(self):
        return f"{self.how} after {self.at} bytes of the {self.side}"

    def apply(self, exchange):
        if self.side == "request":
            exchange.read(self.at)
        else:
            exchange.read_all()
            exchange.send(self.text[: self.at])
        return self.how


class Script:
    """Answers every /warm and then cuts the next exchange, on whichever connection it comes."""

    def __init__(self, cuts, is_reused):
        self.cuts = iter(cuts)
        self.warm = answer(b"{}", headers="" if is_reused else "Connection: close\r\n")
        self.armed = None
        self.lock = threading.Lock()

    def take(self):
        with self.lock:
            cut, self.armed = self.armed, None
            return cut

    def __call__(self, exchange):
        cut = self.take()
        if cut:
            return cut.apply(exchange)
        if exchange.read_all() == "/warm":
            with self.lock:  # before the answer: the client goes on as soon as it has it
                self.armed = next(self.cuts, None)
            exchange.send(self.warm)
        else:
            exchange.send(OK)
        return KEEP


class Once(unittest.TestCase):
    context = None
    options = {}

    def run_cuts(self, method, cuts, is_reused=True):
        """Sends /warm and /case/N for every cut; returns the server and the results of the cases."""
        requests = []
        with Server(Script(cuts, is_reused), self.context) as server:
            for number in range(len(cuts)):
                requests.append(("GET", server.url("/warm"), ""))
                body = BODIES[method.lower()]
                requests.append((method, server.url(f"/case/{number:05}"), body))
            results = fetch(requests, **self.options)
        self.assertEqual(server.failures, [])
        for warm in results[0::2]:
            self.assertEqual((warm["code"], warm["status"]), ("ok", 200), warm)
        return server, results[1::2]

    def request_length(self, method):
        server, results = self.run_cuts(method, [Cut("answer", len(OK), KEEP)])
        self.assertEqual(results[0]["code"], "ok")
        return server.longest

    def check(self, cuts, server, results):
        for number, (cut, result) in enumerate(zip(cuts, results)):
            seen = server.count(f"/case/{number:05}")
            with self.subTest(cut=str(cut), result=result):
                self.assertLessEqual(seen, 1, "the request was sent again")
                if seen == 1:
                    self.assertTrue(result["sent"], "it arrived and is said not to have been sent")
                if result["code"] == "ok":
                    self.assertEqual((seen, result["body"]), (1, BODY_LENGTH))
                else:
                    self.assertEqual(result["code"], "transport")
                    self.assertIn(f"127.0.0.1:{server.port}", result["error"])
                if cut.side == "answer":
                    self.assertEqual(seen, 1)
                if cut.side == "answer" and cut.at < len(cut.text) - 2:
                    self.assertEqual(result["code"], "transport", "a part was taken for the whole")
                if cut.side == "answer" and cut.at == len(cut.text) and cut.how == CLOSE:
                    self.assertEqual(result["code"], "ok")

    def cut_everywhere(self, method):
        length = self.request_length(method)
        self.assertGreater(length, 80)
        for is_reused in (True, False):
            for how in (CLOSE, RESET):
                cuts = [Cut("request", at, how) for at in range(length + 1)]
                cuts += [Cut("answer", at, how) for at in range(len(OK) + 1)]
                cuts += [Cut("answer", at, how, CHUNKED) for at in range(len(CHUNKED) + 1)]
                server, results = self.run_cuts(method, cuts, is_reused)
                self.check(cuts, server, results)

    def test_post(self):
        self.cut_everywhere("post")

    def test_put(self):
        self.cut_everywhere("put")

    def test_delete(self):
        self.cut_everywhere("delete")

    def test_a_read_is_sent_again_when_its_connection_had_died(self):
        cuts = [Cut("request", 0, CLOSE), Cut("answer", 0, CLOSE), Cut("answer", 0, RESET)]
        server, results = self.run_cuts("GET", cuts)
        for number, (cut, result) in enumerate(zip(cuts, results)):
            self.assertEqual((result["code"], result["body"]), ("ok", BODY_LENGTH), result)
            seen = 1 if cut.side == "request" else 2
            self.assertEqual(server.count(f"/case/{number:05}"), seen)

    def test_reads_go_on_however_often_connections_have_died(self):
        """libcurl gives up at the sixth time on one handle, whatever went well in between."""
        cuts = [Cut("answer", 0, CLOSE)] * 12
        server, results = self.run_cuts("GET", cuts)
        for number, result in enumerate(results):
            self.assertEqual(result["code"], "ok", f"read {number}: {result}")
            self.assertEqual(server.count(f"/case/{number:05}"), 2)

    def test_the_error_says_that_it_was_not_sent_again(self):
        for method in ("post", "put", "delete"):
            _, results = self.run_cuts(method, [Cut("answer", 0, CLOSE)])
            self.assertIn("before any answer", results[0]["error"])
            self.assertIn("the request is not sent again", results[0]["error"])

    def test_without_the_rule_libcurl_would_send_twice(self):
        """The control: it shows that these tests notice. When it fails, libcurl has changed."""
        for method in ("POST", "PUT", "DELETE"):
            server, results = self.run_cuts(method, [Cut("answer", 0, CLOSE)])
            self.assertEqual(results[0]["code"], "ok")
            self.assertEqual(server.count("/case/00000"), 2)


class OnceUnderTLS(Once):
    @classmethod
    def setUpClass(cls):
        cls.store = certificates.Store()
        cls.context = cls.store.server_context("127.0.0.1")
        cls.options = {"ca": cls.store.authority}

    @classmethod
    def tearDownClass(cls):
        cls.store.close()


if __name__ == "__main__":
    main()
