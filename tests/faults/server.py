# SPDX-License-Identifier: MIT
"""A scripted HTTP server on loopback that cuts, garbles and floods, and counts what it received.

A script is called once for every request, as soon as its first byte is there, with the Exchange;
it reads as much as it likes, sends what it likes and says how the connection goes on. Everything
ends by itself: sockets have a time limit, and closing the server ends its threads.
"""

import re
import socket
import struct
import threading

LIMIT_SECONDS = 20  # for any single read or write; a test that needs it has failed

KEEP = "keep"    # wait for the next request
CLOSE = "close"  # an orderly end
RESET = "reset"  # an abortive one


class Gone(Exception):
    """The client closed the connection."""


class Exchange:
    """One request on one connection, as far as the script has read it."""

    def __init__(self, server, sock):
        self.server = server
        self.sock = sock
        self.received = b""

    def read(self, count):
        """Reads until count bytes of the request have come; exactly that many, never more."""
        while len(self.received) < count:
            data = self.sock.recv(count - len(self.received))
            if not data:
                raise Gone()
            self.received += data
        self.server.note(self)

    def read_all(self):
        """Reads the whole request and returns its target."""
        while not self.is_complete():
            data = self.sock.recv(65536)
            if not data:
                raise Gone()
            self.received += data
        self.server.note(self)
        return self.target()

    def send(self, data):
        self.sock.sendall(data)

    def is_complete(self):
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return False
        length = re.search(rb"(?i)^content-length:\s*(\d+)\s*$", head, re.M)
        return len(body) >= (int(length.group(1)) if length else 0)

    def target(self):
        """The path, None while the request line is incomplete."""
        line, end, _ = self.received.partition(b"\r\n")
        words = line.split(b" ")
        return words[1].decode() if end and len(words) == 3 else None


class Server:
    """Listens on a free port; use it in a with statement."""

    def __init__(self, script, context=None):
        self.script = script
        self.context = context  # an ssl.SSLContext, or plain
        self.lock = threading.Lock()
        self.complete = []      # targets of complete requests, in order
        self.longest = 0        # bytes of the longest one
        self.connections = 0
        self.failures = []      # what went wrong in here, which fails the test
        self.open = set()
        self.threads = []
        self.is_closing = False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.acceptor = threading.Thread(target=self.accept)

    def __enter__(self):
        self.acceptor.start()
        return self

    def __exit__(self, *_):
        self.is_closing = True
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self.acceptor.join()
        self.listener.close()
        with self.lock:
            for sock in self.open:
                try:
                    # That of an SSLSocket would forget its TLS, and its thread read ciphertext.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
                except OSError:
                    pass  # gone already
        for thread in self.threads:
            thread.join()

    def url(self, path):
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}{path}"

    def count(self, target):
        with self.lock:
            return self.complete.count(target)

    def note(self, exchange):
        """Counts a request when it is complete."""
        if exchange.is_complete():
            with self.lock:
                self.complete.append(exchange.target())
                self.longest = max(self.longest, len(exchange.received))

    def accept(self):
        while not self.is_closing:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.settimeout(LIMIT_SECONDS)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            thread = threading.Thread(target=self.serve, args=(sock,))
            self.threads.append(thread)
            thread.start()

    def serve(self, sock):
        with self.lock:
            self.open.add(sock)
        plain = sock
        how = CLOSE
        try:
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                with self.lock:
                    self.open.discard(plain)
                    self.open.add(sock)
                sock.do_handshake()
            how = KEEP
            while how == KEEP:
                exchange = Exchange(self, sock)
                if self.context:
                    exchange.read(1)  # a record cannot be looked at without reading it
                elif not sock.recv(1, socket.MSG_PEEK):
                    raise Gone()
                how = self.script(exchange)
        except (Gone, ConnectionError, TimeoutError):
            pass
        except OSError as problem:  # TLS trouble among them: the client is entitled to it
            if not self.context and not self.is_closing:
                self.failures.append(problem)
        except Exception as problem:  # a mistake in a script must fail the test
            self.failures.append(problem)
        finally:
            with self.lock:
                self.open.discard(sock)
            if how == RESET:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()


def answer(body, status="200 OK", headers=""):
    """A complete answer of known length."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
