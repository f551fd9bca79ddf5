"""Ports for servers that cannot choose one themselves."""

from __future__ import annotations

import random
import socket

# Below those that Linux, macOS and Windows give to connections, and to servers that ask for any port: such a one
# could be taken before the server that it is meant for has started.
_FIRST, _LAST = 10_000, 32_767


def free_port() -> int:
    """Return a port of this machine that no other program uses."""
    while True:
        port = random.SystemRandom().randint(_FIRST, _LAST)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:  # in use
            continue
