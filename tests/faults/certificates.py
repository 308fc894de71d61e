# SPDX-License-Identifier: MIT
"""Throw-away certificates, made with the openssl command in a directory that goes away again."""

import os
import ssl
import subprocess
import tempfile


class Store:
    """An authority and the servers it vouches for."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.authority = self.path("authority.pem")
        self.make("authority", "/CN=made-up authority", "basicConstraints=critical,CA:TRUE")

    def close(self):
        self.directory.cleanup()

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def make(self, name, subject, extension, issuer=None):
        arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", subject, "-addext", extension,
            "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem"),
        ]
        if issuer:
            arguments += ["-CA", self.path(issuer + ".pem"), "-CAkey", self.path(issuer + ".key")]
        subprocess.run(arguments, check=True, capture_output=True, timeout=60)

    def server_context(self, address, is_trusted=True):
        """A server-side context with a certificate for an IP address."""
        name = f"{address}-{is_trusted}"
        issuer = "authority" if is_trusted else None
        self.make(name, "/CN=made-up server", f"subjectAltName=IP:{address}", issuer)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(name + ".pem"), self.path(name + ".key"))
        return context
