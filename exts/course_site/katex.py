"""Formulas: KaTeX typesets them while the book is built, and its style sheet and fonts go onto the site."""

import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import sphinxcontrib.katex as katex
from sphinx.errors import ExtensionError

from .node import find_node, module


def use_node():
    """Let sphinxcontrib-katex find Node, and give a slow machine more than its five seconds."""
    katex.NODEJS_BINARY = find_node()
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    katex.KaTeXServer.start_server_process = start_katex  # not used on Windows


def start_katex(folder, timeout):
    """Start KaTeX's server and connect to it: sphinxcontrib-katex's own way does not wait until it listens,
    and was refused in one of eight starts."""
    path, deadline = folder / "katex.sock", time.monotonic() + timeout
    server = subprocess.Popen(
        katex.KaTeXServer.build_command(socket=path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
    )
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(path))
            return server, connection
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                raise katex.KaTeXServer.timeout_error(timeout) from None
            time.sleep(0.01)


def copy_katex(target):
    """Style sheet and fonts of the KaTeX that typesets the formulas."""
    package = module("katex") / "dist"
    own = Path(katex.__file__).parent / "katex.min.js"
    if (package / "katex.min.js").read_bytes() != own.read_bytes():
        raise ExtensionError(
            f"sphinxcontrib-katex typesets with KaTeX {katex.katex_version}, and node_modules holds another; "
            f"run: npm install --save-exact katex@{katex.katex_version}"
        )
    # Every browser that can show the site reads woff2: the two older formats are left out.
    style = (package / "katex.min.css").read_text(encoding="utf-8")
    style = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("\w+"\)', "", style)
    (target / "fonts").mkdir(parents=True)
    (target / "katex.min.css").write_text(style, encoding="utf-8")
    for font in (package / "fonts").glob("*.woff2"):
        shutil.copy(font, target / "fonts")
