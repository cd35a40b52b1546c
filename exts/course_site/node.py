"""Node, and what `npm ci` has put into node_modules: both work while the book is built, and no reader needs them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from sphinx.errors import ExtensionError

MODULES = Path(__file__).parents[2] / "node_modules"


def command(name):
    """The path of a command: the environment's own, if it has one, before the system's."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        raise ExtensionError(
            f"{name} was not found: Node 18 or newer typesets the formulas while the book is built. "
            "`make book` installs it by itself; elsewhere, run: pip install -e .[node]"
        )
    return found


def find_node():
    """The path of a Node that is new enough."""
    node = command("node")
    ask = [node, "-p", "process.versions.node + ' ' + process.execPath"]
    answer = subprocess.run(ask, capture_output=True, text=True).stdout.strip()
    number, _, path = answer.partition(" ")
    if not path or int(number.split(".")[0]) < 18:
        raise ExtensionError(f"Node 18 or newer is needed, {node} is {number or 'broken'}: pip install -e .[node]")
    return path  # `node` may be a script that starts Node: when it is ended, Node would go on


def module(name):
    """The folder of a package of package.json."""
    folder = MODULES / name
    if not folder.is_dir():
        raise ExtensionError(f"{name} is not in node_modules: `make book` puts it there; elsewhere, run: npm ci")
    return folder
