"""The live figures of the book against `ipywidgets.interact` with matplotlib, and what a page must load for them.

Both sides draw the same figure from the same function, one step of one slider at a time, in turn. Ours is measured in
Chromium, from the input event to the end of the frame that shows it, which includes waiting for that frame (up to
17 ms). The peer's is measured from a change of the slider's value in a kernel to the arrival of the PNG outside of it:
what follows there, a web server and the browser's own work, is left out in its favour.
"""

import base64
import contextlib
import functools
import gzip
import io
import json
import os
import shutil
import statistics
import subprocess
import tarfile
import tempfile
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import matplotlib
import nbformat

from benchmarks.measure import duration, peer
from nnlib.live import LiveFigure

ROOT = Path(__file__).parent.parent
WEB = ROOT / "nnlib" / "live" / "web"
ROUNDS, STEPS, PEER_STEPS = 5, 30, 6
GOAL = 4e-3  # seconds of script from an input event to the changed picture, median

# Moves one control through `values`. For each: how long the script took, how long until the frame with the new picture
# was done, and how much later that frame began than the one before the event; all in milliseconds.
STEP = """async ([id, values]) => {
  const input = document.getElementById(id), results = [];
  const frame = () => new Promise(requestAnimationFrame);
  const { port1, port2 } = new MessageChannel();
  const task = () => new Promise((resolve) => { port1.onmessage = resolve; port2.postMessage(0); });
  for (const value of values) {
    const before = await frame();
    await task();
    if (input.type === "checkbox") input.checked = value;
    else input.value = value;
    const begin = performance.now();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    const script = performance.now() - begin;
    const after = await frame();
    await task(); // runs when the frame is done
    results.push([script, performance.now() - begin, after - before]);
  }
  return results;
}"""

# What the kernel runs for the peer: the figure's function draws with matplotlib, on numbers.
PEER = """
%matplotlib inline
import ipywidgets as peer_widgets
from nnlib.live import still as peer_still
from nnlib.live.artists import Canvas as PeerCanvas

def peer_draw(**values):
    pictures = peer_still.new_panels({panels}, {name}.size)
    with peer_still.style():
        PeerCanvas({name!r}, pictures).run({name}.body, None, values)
        for picture in pictures:
            display(picture)

peer_controls = {{
    name: peer_widgets.FloatSlider(c.start, min=c.low, max=c.high, step=c.step)
    if c.kind == "slider" else peer_widgets.Dropdown(options=list(zip(c.names, c.options)), index=c.start)
    for name, c in {name}.controls.items()
}}
peer_widgets.interactive(peer_draw, **peer_controls).update()
"""


def main(report):
    playwright = peer("playwright.sync_api", report)
    client = peer("jupyter_client", report)
    chapters = {path.stem: figures(path) for path in sorted((ROOT / "chapters").glob("*.ipynb"))}
    compare_bytes(chapters, report)
    if playwright and client:
        compare_steps(chapters, playwright, client, report)


def figures(path):
    """The live figures that a chapter's cells make, by name, without those that have no controls."""
    matplotlib.use("Agg")
    namespace = {"__name__": "__main__"}
    with contextlib.chdir(path.parent), contextlib.redirect_stdout(io.StringIO()):
        for cell in code_cells(path):
            exec(compile(cell, path.name, "exec"), namespace)
    made = [value for value in namespace.values() if isinstance(value, LiveFigure)]
    return {figure.name: figure for figure in made if figure.controls}


def code_cells(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


# -- time ------------------------------------------------------------------------------------------------------------


def compare_steps(chapters, playwright, client, report):
    """A table of the time of a step."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if path is None:
        report.leave_out("the time of a step: no Chromium or Chrome was found; set CHROMIUM=/path/to/chromium")
        return
    rows = []
    options = {"executable_path": path, "args": ["--no-sandbox", "--disable-gpu"]}
    with playwright.sync_playwright() as started, contextlib.closing(started.chromium.launch(**options)) as browser:
        for chapter, of_chapter in chapters.items():
            with served(of_chapter.values()) as address, kernel(client) as run:
                page = browser.new_page()
                page.goto(address)
                for figure in drawn(run, ROOT / "chapters" / f"{chapter}.ipynb", of_chapter):
                    ours, theirs = measure(page, run, figure)
                    script, paint, frames = (statistics.median(column) for column in zip(*sum(ours, []), strict=True))
                    other = statistics.median(sum(theirs, []))
                    ratios = [median_of(a, 1) / statistics.median(b) for a, b in zip(ours, theirs, strict=True)]
                    rows.append([
                        figure.name, duration(script), duration(paint), f"{frames:.0f}", duration(other),
                        f"{paint / other:.3f}", f"{min(ratios):.3f}–{max(ratios):.3f}", f"{script / other:.4f}",
                        "reached" if script <= GOAL else "MISSED",
                    ])  # fmt: skip
    report.add(
        "A step of a control, in Chromium, against interact and matplotlib in a kernel; below 1, ours is faster",
        [
            "figure",
            "script",
            "to paint",
            "frames",
            "kernel, to PNG",
            "ratio",
            "spread",
            "script only",
            f"≤ {duration(GOAL)}",
        ],
        rows,
    )


def drawn(run, path, of_chapter):
    """The figures of a chapter, each when the kernel has run its cell and no later one: names may be used again."""
    for cell in code_cells(path) if of_chapter else []:
        run.execute(cell)
        yield from (figure for name, figure in of_chapter.items() if f"def {name}(" in cell)


def measure(page, run, figure):
    """Rounds of steps of the first control, ours and the peer's in turn: a list of lists of each.

    Ours are (seconds of script, seconds to the picture, frames), the peer's seconds.
    """
    control = next(iter(figure.controls.values()))
    places = control.positions()
    begin = places.index(control.start) + 1
    steps = [places[(begin + i) % len(places)] for i in range(ROUNDS * STEPS)]
    name = f"{page_id(figure)}-{control.name}"
    run.begin(figure)
    period = statistics.median(result[2] for result in page.evaluate(STEP, [name, steps[:STEPS]]))  # and warm up
    ours, theirs = [], []
    for i in range(ROUNDS):
        found = page.evaluate(STEP, [name, steps[i * STEPS : (i + 1) * STEPS]])
        ours.append([(script / 1e3, paint / 1e3, frames / period) for script, paint, frames in found])
        theirs.append([run.step(control, value) for value in steps[i * PEER_STEPS : (i + 1) * PEER_STEPS]])
    return ours, theirs


def median_of(rows, column):
    return statistics.median(row[column] for row in rows)


def page_id(figure):
    return f"live-{figure.name.replace('_', '-')}"


@contextlib.contextmanager
def served(shown):
    """The address of a page with these figures, started as on the site."""
    with tempfile.TemporaryDirectory() as folder:
        for file in WEB.iterdir():
            shutil.copy(file, folder)
        body = "".join(figure.html for figure in shown)
        (Path(folder) / "index.html").write_text(
            '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'
            f'<link rel="stylesheet" href="live.css"><body>{body}<script type="module" src="page.mjs"></script>',
            encoding="utf-8",
        )
        types = {
            "extensions_map": SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"},
            "log_message": lambda *_: None,
        }
        handler = functools.partial(type("Handler", (SimpleHTTPRequestHandler,), types), directory=folder)
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/"
            server.shutdown()


class Kernel:
    """A kernel that runs the cells of a chapter and draws its figures with interact."""

    def __init__(self, client):
        self.client = client

    def execute(self, code):
        """Run code; returns the PNGs that came, and when the last one did. Raises RuntimeError where the code fails."""
        pictures, arrived = [], None
        request = self.client.execute(code)
        while True:
            message = self.client.get_iopub_msg(timeout=300)
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "error":
                raise RuntimeError(f"{content['ename']}: {content['evalue']}")
            if message["msg_type"] == "stream" and "Traceback" in content["text"]:
                raise RuntimeError(content["text"].strip().splitlines()[-1])
            if "image/png" in content.get("data", {}):
                pictures.append(base64.b64decode(content["data"]["image/png"]))
                arrived = time.perf_counter()
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                return pictures, arrived

    def begin(self, figure):
        self.execute(PEER.format(name=figure.name, panels=len(figure.svgs)))

    def step(self, control, value):
        """Seconds from setting a control to its picture."""
        begin = time.perf_counter()
        attribute = "value" if control.kind == "slider" else "index"
        pictures, arrived = self.execute(f"peer_controls[{control.name!r}].{attribute} = {value!r}")
        if not pictures:
            raise RuntimeError("no picture came")
        return arrived - begin


@contextlib.contextmanager
def kernel(client):
    manager, blocking = client.manager.start_new_kernel(cwd=str(ROOT / "chapters"))
    try:
        yield Kernel(blocking)
    finally:
        blocking.stop_channels()
        manager.shutdown_kernel(now=True)


# -- bytes -----------------------------------------------------------------------------------------------------------


def compare_bytes(chapters, report):
    """A table of what a page loads for its figures, compressed."""
    code = "".join((WEB / file).read_text(encoding="utf-8") for file in ("figure.mjs", "page.mjs"))
    ours = compressed(code) + compressed((WEB / "live.css").read_text(encoding="utf-8"))
    try:
        theirs = sum(compressed(text) for text in stock_files())
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        report.leave_out(f"bytes of stock ipywidgets embedding: npm could not fetch it ({error})")
        return
    rows = [["code, whatever the page", kilobytes(ours), kilobytes(theirs), f"{ours / theirs:.4f}"]]
    for chapter, of_chapter in chapters.items():
        if of_chapter:
            page = ours + sum(compressed(figure.html) for figure in of_chapter.values())
            rows.append(
                [
                    f"{chapter}: code and {len(of_chapter)} figures",
                    kilobytes(page),
                    f"{kilobytes(theirs)} + figures",
                    f"{page / theirs:.4f}",
                ]
            )
    report.add(
        "What a page loads for its figures, gzip: against stock ipywidgets embedding (html-manager, require.js)",
        ["page", "nnlib", "stock", "ratio"],
        rows,
    )


def compressed(text):
    return len(gzip.compress(text.encode(), 9))


def kilobytes(count):
    return f"{count / 1000:.1f} kB"


def stock_files():
    """The scripts of stock embedding, from npm: html-manager with the widgets, and require.js."""
    names = {"@jupyter-widgets/html-manager": "package/dist/embed-amd.js", "requirejs": "package/require.js"}
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("there is no npm on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            [npm, "pack", "--json", *names], cwd=folder, check=True, capture_output=True, text=True, timeout=120
        )
        for package in json.loads(packed.stdout):
            with tarfile.open(Path(folder) / package["filename"]) as archive:
                yield archive.extractfile(names[package["name"]]).read().decode()
