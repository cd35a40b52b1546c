"""Every page of the built site in Lighthouse, as a desk and as a phone sees it: `make lighthouse`.

The server compresses and lets browsers keep what they have, as hosts of static sites do. With `--stock`, the same
notebooks are measured as Jupyter Book builds them by itself, too: its own theme, and MathJax, served from the site.
"""

import argparse
import functools
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
from datetime import date
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

from benchmarks.report import lines_up, processor

ROOT = Path(__file__).parent.parent
SITE, STOCK = ROOT / "_build" / "html", ROOT / "build" / "stock"
RESULT = Path(__file__).parent / "LIGHTHOUSE.md"
LIGHTHOUSE = ROOT / "node_modules" / "lighthouse" / "cli" / "index.js"
NOT_READ = {"index.html", "404.html"}  # the one leads on at once, the other is where a page is not
MODES = {"desktop": ["--preset=desktop"], "phone": []}
# Lighthouse takes RenderDocument from its browser, which readers have: without it, a first frame may wait a second for
# nothing. Of two lists of features the browser heeds the last.
LIKE_READERS = "--disable-features=Translate,OptimizationHints,MediaRouter"
CATEGORIES = {"performance": "speed", "accessibility": "access", "best-practices": "practices", "seo": "search"}
TIMES = {
    "first-contentful-paint": "first paint",
    "largest-contentful-paint": "largest paint",
    "total-blocking-time": "blocked",
}
HEADER = ["page", "as on", *CATEGORIES.values(), *TIMES.values()]
GOALS = {mode: dict.fromkeys(CATEGORIES, 100) for mode in MODES}
GOALS["phone"]["performance"] = 97
HEAD = """# The site in Lighthouse

Written by `make lighthouse`, for {done}; do not edit. Scores are out of 100, each the median of {runs} runs; a score
below its goal (100; speed on a phone, 97) is marked with `!`. The phone is Lighthouse's own, with a slow processor and
network. *Stock* is the same content as Jupyter Book builds it by itself, with MathJax on the site.

{date}, Lighthouse {version}, {browser}, {processor}.

"""


class Host(SimpleHTTPRequestHandler):
    """Serves a folder as a host of static sites does: compressed, over connections that stay, with time to keep."""

    protocol_version = "HTTP/1.1"
    COMPRESSED = {".html", ".css", ".js", ".svg", ".xml", ".txt"}

    def do_GET(self):
        file = Path(self.translate_path(self.path))
        if not file.is_file():
            return self.send_error(404)
        compressed = file.suffix in self.COMPRESSED
        content = zipped(file) if compressed else file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(file) + "; charset=utf-8" * compressed)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=31536000" if "_static" in file.parts else "max-age=600")
        if compressed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@functools.cache
def zipped(file):
    return gzip.compress(file.read_bytes())


@functools.cache
def serve(folder):
    """The address of a folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Host, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def find_browser():
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, (shutil.which(name) for name in names if name)), None) or sys.exit(
        "lighthouse: no Chromium or Chrome was found; set CHROMIUM=/path/to/chromium"
    )


def build_stock():
    """The same notebooks as Jupyter Book builds them by itself, with MathJax on the site instead of another host."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    kept = ("nb_mime_priority_overrides", "nb_ipywidgets_js")  # else the pages ask other hosts for code of widgets
    sphinx = {key: config["sphinx"]["config"][key] for key in kept}
    sphinx |= {
        "html_static_path": [str(ROOT / "node_modules" / "mathjax" / "es5")],
        "mathjax_path": "tex-mml-chtml.js",
    }
    config["sphinx"] = {"config": sphinx}
    STOCK.mkdir(parents=True, exist_ok=True)
    (STOCK / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    program = Path(sys.executable).parent / "jupyter-book"
    build = [program, "build", "--all", "--quiet", "--config", STOCK / "_config.yml", "--path-output", STOCK, ROOT]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return STOCK / "_build" / "html"


def measure(folder, page, mode, runs, browser):
    """The medians of all scores and times of a page."""
    results = [run(serve(folder) + page, mode, browser) for _ in range(runs)]
    return {key: statistics.median(result[key] for result in results) for key in results[0]}


def run(url, mode, browser):
    command = ["node", LIGHTHOUSE, url, "--quiet", "--output=json", "--disable-full-page-screenshot", *MODES[mode]]
    command += [f"--chrome-flags=--headless=new --no-sandbox --disable-gpu {LIKE_READERS}"]
    output = subprocess.run(command, env=os.environ | {"CHROME_PATH": browser}, capture_output=True, text=True)
    if output.returncode:
        sys.exit(f"lighthouse: {url} could not be measured:\n{output.stderr}")
    report = json.loads(output.stdout)
    scores = {key: round(100 * report["categories"][key]["score"]) for key in CATEGORIES}
    return scores | {key: report["audits"][key]["numericValue"] for key in TIMES}


def missed(mode, result):
    return [key for key, goal in GOALS[mode].items() if result[key] < goal]


def row(name, mode, result):
    scores = [f"{result[key]:.0f}{'!' * (key in missed(mode, result))}" for key in CATEGORIES]
    return [name, mode, *scores, *(f"{result[key]:.0f} ms" for key in TIMES)]


def chosen(names):
    """The pages of the site, or those that are named: `neuron` for chapters/neuron.html."""
    pages = sorted({path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html")} - NOT_READ)
    pages = [page for page in pages if not page.startswith("_static/")]
    if unknown := set(names) - {Path(page).stem for page in pages}:
        sys.exit(f"lighthouse: there is no page {', '.join(sorted(unknown))} in _build/html: run `make book` first")
    return [page for page in pages if not names or Path(page).stem in names]


def compare(pages, runs, stock, keep):
    """Measure the pages, print a line for each as it comes; the lines, and how many scores of ours miss their goal.

    After each page, `keep(lines, number of pages)` is called: it takes most of an hour to measure all of them.
    """
    browser, rows, misses = find_browser(), [], 0
    sites = {"": SITE} | ({" (stock)": build_stock()} if stock else {})
    for number, page in enumerate(pages, start=1):
        for mode in MODES:
            for suffix, folder in sites.items():
                result = measure(folder, page, mode, runs, browser)
                misses += len(missed(mode, result)) if folder == SITE else 0
                rows.append(row(Path(page).stem + suffix, mode, result))
                print("  ".join(rows[-1]), flush=True)
        keep(rows, number)
    return rows, misses


def write(rows, runs, done):
    version = json.loads((LIGHTHOUSE.parents[1] / "package.json").read_text())["version"]
    browser = subprocess.run([find_browser(), "--version"], capture_output=True, text=True).stdout.strip()
    head = HEAD.format(done=done, runs=runs, date=date.today(), version=version, browser=browser, processor=processor())
    lines = [HEADER, [":--", ":--", *["--:"] * (len(HEADER) - 2)], *rows]
    RESULT.write_text(head + "".join("| " + " | ".join(line) + " |\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of which the medians are taken")
    parser.add_argument("--stock", action="store_true", help="measure a stock Jupyter Book build beside the site")
    parser.add_argument("pages", nargs="*", help="names of pages; none means all, and writes the result")
    options = parser.parse_args()
    pages = chosen(options.pages)

    def keep(rows, number):
        if not options.pages:
            write(rows, options.runs, "all pages" if number == len(pages) else f"{number} of {len(pages)} pages")

    rows, misses = compare(pages, options.runs, options.stock, keep)
    print("\n" + lines_up(HEADER, rows))
    if not options.pages:
        print(f"The table is in {RESULT.relative_to(ROOT)}.")
    if misses:
        sys.exit(f"Scores that miss their goal: {misses}; they are marked with !.")
