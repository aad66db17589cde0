"""Refuses the network. On PYTHONPATH, every Python that is started loads this file.

This machine itself can be reached; each attempt to reach further is noted in the file that
the variable COURSE_NETWORK_LOG names.
"""

import errno
import os
import socket

HERE = (None, "", "localhost", "::1", "0.0.0.0", "::", socket.gethostname())


def is_here(host):
    host = host.decode() if isinstance(host, bytes) else host
    if host in HERE or host.startswith("127."):
        return True
    with open(os.environ["COURSE_NETWORK_LOG"], "a") as log:
        log.write(f"{host}\n")
    return False


class Socket(socket.socket):
    def _check(self, address):
        if isinstance(address, tuple) and not is_here(address[0]):
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    def connect(self, address):
        self._check(address)
        return super().connect(address)

    def connect_ex(self, address):
        self._check(address)
        return super().connect_ex(address)

    def sendto(self, data, *rest):
        self._check(rest[-1])
        return super().sendto(data, *rest)


def only_here(look_up):
    def checked(host, *arguments, **options):
        if not is_here(host):
            text = "Temporary failure in name resolution"
            raise socket.gaierror(socket.EAI_AGAIN, text)
        return look_up(host, *arguments, **options)

    return checked


socket.socket = Socket  # create_connection makes one of these, too
for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
    setattr(socket, name, only_here(getattr(socket, name)))
