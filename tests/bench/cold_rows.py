# SPDX-License-Identifier: MIT
"""From the start of the process to the first answer, against the curl command.

HTTPS is with the default trust store: in a mount namespace of its own, a copy of the system's store
that also holds our authority takes its place, so that both programs look where they always look.
"""

import shutil
import subprocess
from pathlib import Path

from measure import TOKEN, row
from web import PATH, Web, sitekey

SYSTEM_STORE = Path("/etc/ssl/certs")
CODE = f'assert(require "turnstile".widgets.get "{sitekey(1)}")'


def store(bench, web):
    """A copy of the system's trust store with one authority more: in the bundle and by its hash."""
    copy = bench.place / "certs"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(SYSTEM_STORE, copy, symlinks=True)
    name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", web.authority], check=True,
                          capture_output=True, text=True).stdout.strip()
    shutil.copy(web.authority, copy / f"{name}.0")
    with open(copy / "ca-certificates.crt", "a") as bundle:
        bundle.write(Path(web.authority).read_text())
    return str(copy)


def namespace(copy):
    """What goes before a command so that it sees the copy; None where the kernel does not allow it."""
    for flags in ("-m", "-rm"):
        prefix = ["unshare", flags, "sh", "-c",
                  f'mount --bind "$0" {SYSTEM_STORE} && exec "$@"', copy]
        if subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
            return prefix
    return None


def compare(bench, label, ours, peer, goal, environment=None, prefix=(), note=""):
    pairs = bench.pair(ours, peer, environment, environment, pairs=5 * bench.pairs, prefix=prefix)
    for what, of, goal in (("wall", lambda usage: usage.wall * 1e3, goal),
                           ("CPU", lambda usage: usage.cpu * 1e3, None)):
        yield row(f"{label}: {what}", "ms", [of(ours) for ours, _ in pairs],
                  [of(peer) for _, peer in pairs], [of(ours) / of(peer) for ours, peer in pairs],
                  goal and ("<=", goal), note)


def rows(bench):
    with Web(bench.place / "nginx") as web:
        def ours(url):
            return [bench.tshost_program, "--base-url", url, "-e", CODE]

        def peer(url):
            return ["curl", "--silent", "--fail", "--header", f"Authorization: Bearer {TOKEN}",
                    url.removesuffix("/client/v4") + f"{PATH}/{sitekey(1)}"]

        copy = store(bench, web)
        prefix = namespace(copy)
        environment, note = {}, "default trust store"
        if prefix is None:
            environment, note = {"SSL_CERT_DIR": copy}, "no mount namespace here: SSL_CERT_DIR"
        label = "first answer ÷ curl command"
        yield from compare(bench, f"{label}, HTTPS", ours(web.tls), peer(web.tls), 0.40,
                           environment, prefix or (), note)
        yield from compare(bench, f"{label}, HTTP", ours(web.plain), peer(web.plain), 1.15)
        yield from compare(bench, "start and end alone ÷ curl --version",
                           [bench.tshost_program, "-e", "local _ = 1"], ["curl", "--version"], None)
