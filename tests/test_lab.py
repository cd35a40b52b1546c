"""A chapter in JupyterLab, as a reader uses it: run all cells, move a slider, ask Python, set it from Python."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import ROOT

CHAPTER = "index.ipynb"
# Runs code in a kernel that is already there, beside JupyterLab, and prints what it prints.
CLIENT = """
import sys
from jupyter_client import BlockingKernelClient
client = BlockingKernelClient(connection_file=sys.argv[1])
client.load_connection_file()
client.start_channels()
reply = client.execute_interactive(sys.argv[2], timeout=60, allow_stdin=False)
assert reply["content"]["status"] == "ok", reply["content"]
"""
FIGURE = "figure = next(value for value in list(globals().values()) if type(value).__name__ == 'LiveFigure'); "
SLIDER = "slider = next(c for c in figure.controls.values() if c.kind == 'slider'); "


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a copy of the chapters, with settings of its own: its address with the token, and its folder."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "chapters", folder / "chapters")
    tracker = folder / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text('{"windowingMode": "none"}')  # keep the cells that are scrolled away
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
    }
    own |= {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces"}
    options = {
        "ServerApp.ip": "127.0.0.1", "ServerApp.port": port, "ServerApp.port_retries": 0, "ServerApp.allow_root": True,
        "ServerApp.root_dir": folder / "chapters", "IdentityProvider.token": token,
        "LabApp.expose_app_in_browser": True, "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }  # fmt: skip
    with open(folder / "log.txt", "w") as log:
        command = [sys.executable, "-m", "jupyterlab", "--no-browser"]
        command += [f"--{name}={value}" for name, value in options.items()]
        places = {name: str(folder / value) for name, value in own.items()}
        server = subprocess.Popen(command, env=os.environ | places, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}/"
    try:
        wait_until(lambda: answers(f"{address}api?token={token}") or server.poll() is not None, 60)
        assert server.poll() is None, (folder / "log.txt").read_text()
        yield address, token, folder
    finally:
        server.terminate()
        server.wait(30)


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still not so after {seconds} s"
        time.sleep(0.2)


def test_a_slider_moves_the_picture_python_knows_its_value_and_can_set_it(lab, visit):
    address, token, folder = lab
    page = visit(f"{address}lab/tree/{CHAPTER}?token={token}", watched=False, viewport={"width": 1280, "height": 1000})
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
    page.wait_for_function(
        "window.jupyterapp?.shell.currentWidget?.sessionContext?.isReady", timeout=60_000
    )  # the kernel is
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")  # void: not to wait for it

    picture = page.locator(".jp-OutputArea .live-picture").first
    picture.locator("svg").first.wait_for(timeout=60_000)
    assert picture.bounding_box()["height"] > 100
    handle = page.locator(".jp-OutputArea .widget-slider .noUi-handle").first
    handle.scroll_into_view_if_needed()

    (connection,) = (folder / "runtime").glob("kernel-*.json")

    def python(code):
        return subprocess.run(
            [sys.executable, "-c", CLIENT, connection, FIGURE + SLIDER + code],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    start, low, step = json.loads(python("import json; print(json.dumps([slider.value, slider.low, slider.step]))"))

    before = picture.inner_html()
    handle.focus()
    page.keyboard.press("ArrowRight")
    wait_until(lambda: picture.inner_html() != before, 10)
    wait_until(lambda: float(python("print(slider.value)")) == pytest.approx(start + step), 10)

    before = picture.inner_html()
    python(f"slider.value = {low}")
    wait_until(lambda: picture.inner_html() != before, 10)
    assert float(handle.get_attribute("aria-valuenow")) == low
