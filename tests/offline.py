"""Run a command on a machine that reaches no other: `python tests/offline.py COMMAND …`.

On Linux the command gets a network of its own, in which there is nothing but this machine (`unshare`). Where that is
not possible, it is said, and every proxy is one that refuses, which stops pip, npm and Python's own requests.
"""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

ALONE = ["unshare", "--map-root-user", "--net"]
REFUSED = "http://127.0.0.1:9"  # nobody listens at the port for what is to be discarded
SET_FLAGS, UP = 0x8914, 0x1  # SIOCSIFFLAGS, IFF_UP of <net/if.h>


def can_be_alone():
    return bool(shutil.which("unshare")) and not subprocess.run([*ALONE, "true"], stderr=subprocess.DEVNULL).returncode


def is_offline():
    """Whether no other machine can be reached, not even by its number."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        return bool(probe.connect_ex(("192.0.2.1", 9)))  # an address for examples: nothing is sent there


def start_loopback():
    """Let the programs of this machine speak with each other, as notebooks do with their kernels."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH14x", b"lo", UP))


def main(command):
    if command[0] == "--inside":
        start_loopback()
        if not is_offline():
            sys.exit("offline: the network was to be off, and it is not")
        os.execvp(command[1], command[1:])
    if can_be_alone():
        return subprocess.run([*ALONE, sys.executable, __file__, "--inside", *command]).returncode
    print(
        "NOT PROVED: this machine cannot take the network away from a command (unshare). Proxies that refuse stand in.",
        file=sys.stderr,
    )
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), REFUSED)
    return subprocess.run(command, env=os.environ | proxies | {"npm_config_offline": "true"}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
