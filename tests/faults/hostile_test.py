# SPDX-License-Identifier: MIT
"""A hostile or broken server: every answer ends in a result or a clear error, in bounded memory and
in bounded time, and nothing follows where it points.
"""

import gzip
import itertools
import unittest

import certificates
from client import HAS_HONEST_MEMORY, fetch, main
from server import CLOSE, KEEP, RESET, Server, answer

MEGABYTE = 1 << 20
CEILING = 4 * MEGABYTE
# Libraries and an idle loop take 10 MB, and a buffer that grows has two blocks for a moment.
PEAK_KB = 12 * 1024 + 2 * CEILING // 1024


def flood(exchange, first, endless):
    """Sends first and then the items for as long as the client listens."""
    exchange.read_all()
    exchange.send(first)
    for data in endless:
        exchange.send(data)  # raises once the client has gone
    return CLOSE


def once(text, how=CLOSE):
    """A script that reads the request, sends text and ends the connection."""

    def script(exchange):
        exchange.read_all()
        exchange.send(text)
        return how

    return script


def silent(text):
    """A script that sends text and then nothing, until the client has had enough."""

    def script(exchange):
        exchange.read_all()
        exchange.send(text)
        exchange.read(1 << 30)
        return CLOSE

    return script


class Hostile(unittest.TestCase):
    def ask(self, script, context=None, method="GET", body="", **options):
        """One exchange with a server that follows script; returns its result."""
        options = {"max-body": CEILING, "timeout-ms": 15000, **options}
        with Server(script, context) as server:
            self.peer = f"127.0.0.1:{server.port}"
            result = fetch([(method, server.url("/x?token=made-up"), body)], **options)[0]
        self.assertEqual(server.failures, [])
        self.assertNotIn("made-up", result["error"])
        if HAS_HONEST_MEMORY:
            self.assertLess(result["peak_kb"], PEAK_KB)
        return result

    def refused(self, result, code, *words):
        """The result is an error of this code that names the peer and says these words."""
        self.assertEqual(result["code"], code, result)
        for word in (self.peer, *words):
            self.assertIn(word, result["error"])

    # Sizes

    def test_a_body_announced_too_large(self):
        megabyte = b"x" * MEGABYTE
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {100 * MEGABYTE}\r\n\r\n".encode()
        result = self.ask(lambda e: flood(e, head, itertools.repeat(megabyte, 100)))
        self.refused(result, "too large", f"larger than {CEILING} bytes")

    def test_a_body_of_a_hundred_megabytes_in_chunks(self):
        chunk = b"%x\r\n%s\r\n" % (MEGABYTE, b"x" * MEGABYTE)
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        result = self.ask(lambda e: flood(e, head, itertools.repeat(chunk, 100)))
        self.refused(result, "too large", f"larger than {CEILING} bytes")

    def test_a_body_without_an_end(self):
        head = b"HTTP/1.1 200 OK\r\n\r\n"
        result = self.ask(lambda e: flood(e, head, itertools.repeat(b"x" * MEGABYTE)))
        self.refused(result, "too large", f"larger than {CEILING} bytes")

    def test_a_body_that_unpacks_to_a_hundred_megabytes(self):
        packed = gzip.compress(b"\0" * (100 * MEGABYTE))
        self.assertLess(len(packed), MEGABYTE)
        result = self.ask(once(answer(packed, headers="Content-Encoding: gzip\r\n")))
        self.refused(result, "too large", f"larger than {CEILING} bytes")

    def test_a_body_packed_many_times_over(self):
        packed = b"\0" * MEGABYTE
        for _ in range(8):
            packed = gzip.compress(packed)
        names = ", ".join(["gzip"] * 8)
        result = self.ask(once(answer(packed, headers=f"Content-Encoding: {names}\r\n")))
        self.refused(result, "transport", "damaged")

    def test_headers_without_an_end(self):
        lines = itertools.repeat(b"X-Filler: abcdefghijklmnopqrstuvwxyz\r\n" * 1000)
        result = self.ask(lambda e: flood(e, b"HTTP/1.1 200 OK\r\n", lines))
        self.refused(result, "too large", "headers", "larger than 65536 bytes")

    def test_one_header_line_without_an_end(self):
        filler = itertools.repeat(b"x" * 65536)
        result = self.ask(lambda e: flood(e, b"HTTP/1.1 200 OK\r\nX-Filler: ", filler))
        self.refused(result, "too large", "header line")

    def test_a_status_line_without_an_end(self):
        filler = itertools.repeat(b"x" * 65536)
        result = self.ask(lambda e: flood(e, b"HTTP/1.1 200 ", filler))
        self.refused(result, "too large", "header line")

    def test_interim_answers_without_an_end(self):
        interim = itertools.repeat(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 1000)
        result = self.ask(lambda e: flood(e, b"", interim))
        self.refused(result, "too large", "headers", "larger than 65536 bytes")

    def test_trailers_without_an_end(self):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
        lines = itertools.repeat(b"X-Filler: abcdefghijklmnopqrstuvwxyz\r\n" * 1000)
        result = self.ask(lambda e: flood(e, head, lines))
        self.refused(result, "too large", "headers")

    # Cuts and silence

    def test_a_truncated_body(self):
        result = self.ask(once(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"success\":"))
        self.refused(result, "transport", "cut in mid-answer")
        self.assertEqual((result["status"], result["body"]), (200, 11))

    def test_a_truncated_body_and_a_reset(self):
        text = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"success\":"
        self.refused(self.ask(once(text, RESET)), "transport", "cut")

    def test_truncated_headers(self):
        result = self.ask(once(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"))
        self.refused(result, "transport", "cut in mid-answer", "headers are incomplete")

    def test_closed_before_any_answer(self):
        self.refused(self.ask(once(b"")), "transport", "cut before any answer")

    def test_closed_before_the_request_was_read(self):
        self.refused(self.ask(lambda e: RESET), "transport", "cut before any answer")

    def test_no_answer_at_all(self):
        result = self.ask(silent(b""), timeout_ms=300)
        self.refused(result, "timeout", "no answer", "within 0.3 s")
        self.assertTrue(result["sent"])

    def test_an_answer_that_stops(self):
        result = self.ask(silent(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), timeout_ms=300)
        self.refused(result, "timeout", "not complete within 0.3 s")

    # Nonsense

    def test_what_is_not_http(self):
        for text in (
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"{\"success\":true}",
            b"\0\x01\x02\x03",
            b"<html>502</html>\r\n\r\n",
            b"HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 abc OK\r\n\r\n",
            b"HTTP/1.1 99999 OK\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ):
            with self.subTest(text=text):
                self.refused(self.ask(once(text)), "transport")

    def test_nonsense_for_a_length(self):
        for value in ("-1", "x", "99999999999999999999999999"):
            with self.subTest(value=value):
                text = f"HTTP/1.1 200 OK\r\nContent-Length: {value}\r\n\r\n{{}}".encode()
                result = self.ask(once(text))
                self.assertIn(result["code"], ("transport", "too large"))
                self.assertIn(self.peer, result["error"])

    def test_nonsense_for_a_chunk(self):
        for chunk in (b"xyz\r\n{}\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n{}\r\n", b"-2\r\n{}\r\n"):
            with self.subTest(chunk=chunk):
                head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                self.refused(self.ask(once(head + chunk)), "transport")

    def test_what_says_gzip_and_is_not(self):
        result = self.ask(once(answer(b"{\"success\":true}", headers="Content-Encoding: gzip\r\n")))
        self.refused(result, "transport", "damaged")

    def test_an_error_page_with_control_characters_in_its_status_line(self):
        text = b"HTTP/1.1 502 \x1b[2J\x07Bad\r\nContent-Length: 15\r\n\r\n<html>bad</html"
        result = self.ask(once(text))
        self.assertEqual((result["code"], result["status"], result["body"]), ("ok", 502, 15))

    def test_bytes_arrive_as_they_are(self):
        for body in (b"\xff\xfe\x00{", b"[" * 10000 + b"]" * 10000, b"<html>502</html>"):
            result = self.ask(once(answer(body, headers="CF-Ray: 8f-AMS\r\n")))
            self.assertEqual((result["code"], result["body"]), ("ok", len(body)))
            self.assertEqual(result["ray"], "8f-AMS")

    def test_the_first_of_two_headers_counts_and_trailers_do_not(self):
        text = (
            b"HTTP/1.1 103 Early\r\nCF-Ray: early\r\n\r\nHTTP/1.1 200 OK\r\ncf-ray:\t first \r\n"
            b"CF-Ray: second\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nCF-Ray: late\r\n\r\n"
        )
        result = self.ask(once(text))
        self.assertEqual((result["code"], result["status"], result["ray"]), ("ok", 200, "first"))

    # Places it points to

    def test_no_redirect_is_followed(self):
        with Server(once(answer(b"{}"))) as target:
            for status in ("301 Moved", "302 Found", "307 Temporary", "308 Permanent"):
                for method, body in (("GET", ""), ("post", "{}"), ("delete", "")):
                    headers = f"Location: {target.url('/stolen')}\r\nRefresh: 0; {target.url('/')}\r\n"
                    result = self.ask(once(answer(b"", status, headers)), method=method, body=body)
                    self.assertEqual((result["code"], result["status"]), ("ok", int(status[:3])))
        self.assertEqual(target.connections, 0)

    def test_no_other_service_is_used(self):
        with Server(once(answer(b"{}"))) as target:
            headers = (
                f'Alt-Svc: h2="127.0.0.1:{target.port}"; ma=9999; persist=1\r\n'
                "Strict-Transport-Security: max-age=31536000\r\n"
                "Set-Cookie: made-up=cookie\r\n"
            )
            seen = []

            def script(exchange):
                exchange.read_all()
                seen.append(exchange.received)
                exchange.send(answer(b"{}", headers=headers))
                return KEEP

            with Server(script) as server:
                results = fetch([("GET", server.url("/a"), ""), ("GET", server.url("/b"), "")])
        self.assertEqual([result["status"] for result in results], [200, 200])
        self.assertEqual(target.connections, 0)
        self.assertEqual(len(seen), 2)
        self.assertNotIn(b"ookie", seen[1])

    def test_no_credentials_are_offered_when_asked_for(self):
        headers = 'WWW-Authenticate: Basic realm="x"\r\nWWW-Authenticate: Negotiate\r\n'
        seen = []

        def script(exchange):
            exchange.read_all()
            seen.append(exchange.received)
            exchange.send(answer(b"{}", "401 Unauthorized", headers))
            return KEEP

        result = self.ask(script)
        self.assertEqual((result["code"], result["status"], len(seen)), ("ok", 401, 1))
        self.assertNotIn(b"Authorization", seen[0])


class HostileUnderTLS(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.store = certificates.Store()
        cls.context = cls.store.server_context("127.0.0.1")

    @classmethod
    def tearDownClass(cls):
        cls.store.close()

    def ask(self, script, context, **options):
        self.seen = []

        def noting(exchange):
            self.seen.append(exchange)
            return script(exchange)

        with Server(noting, context) as server:
            return fetch([("GET", f"https://127.0.0.1:{server.port}/x", "")], **options)[0]

    def test_a_trusted_certificate(self):
        result = self.ask(once(answer(b"{}")), self.context, ca=self.store.authority)
        self.assertEqual((result["code"], result["status"]), ("ok", 200), result)

    @unittest.skipUnless(HAS_HONEST_MEMORY, "a sanitizer has an allocator of its own")
    def test_a_kept_connection_holds_nothing_of_what_it_carried(self):
        marker = b"sandbox-answer-not-a-secret"
        for count in (1, 3000):  # in one record of TLS, in several
            with Server(once(answer(marker * count), KEEP), self.context) as server:
                url = f"https://127.0.0.1:{server.port}/x"
                requests = [("GET", url, ""), ("PUT", url, marker.decode() * 50), ("GET", url, "")]
                results = fetch(requests, ca=self.store.authority, forget=marker.decode())
            for result in results:
                self.assertEqual((result["code"], result["body"]), ("ok", count * len(marker)))

    def refused_before_any_request(self, result):
        self.assertEqual(result["code"], "trust", result)
        self.assertIn("no TLS with 127.0.0.1:", result["error"])
        self.assertFalse(result["sent"])
        self.assertEqual(self.seen, [])

    def test_a_certificate_of_an_unknown_authority(self):
        self.refused_before_any_request(self.ask(once(answer(b"{}")), self.context))

    def test_a_certificate_that_vouches_for_itself(self):
        context = self.store.server_context("127.0.0.1", is_trusted=False)
        result = self.ask(once(answer(b"{}")), context, ca=self.store.authority)
        self.refused_before_any_request(result)

    def test_a_certificate_for_another_address(self):
        context = self.store.server_context("192.0.2.1")
        result = self.ask(once(answer(b"{}")), context, ca=self.store.authority)
        self.refused_before_any_request(result)

    def test_a_server_that_speaks_plain_http(self):
        with Server(lambda e: (e.read(1), e.send(answer(b"{}")), CLOSE)[2]) as server:
            url = f"https://127.0.0.1:{server.port}/x"
            result = fetch([("GET", url, "")], ca=self.store.authority)[0]
        self.assertEqual(result["code"], "transport")
        self.assertIn("no TLS with", result["error"])
        self.assertFalse(result["sent"])


if __name__ == "__main__":
    main()
