"""What several test files need: a browser, a server for static folders, pages with live figures.

The browser is the Chromium or Chrome of this machine: `$CHROMIUM`, else one on the PATH, and rather the shell without
windows, which opens a page with a third of the work, else the one that `playwright install chromium` put there. Where
there is none, the tests that need it are skipped, and the summary says so in a block of its own; with `CI=true` they
fail.
"""

import contextlib
import functools
import os
import shutil
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import hypothesis
import pytest
from pdf import BROWSERS
from xdist.scheduler import LoadScopeScheduling

# A busy machine is slow; that is no failure. The examples are the same at each run, so that what fails here fails
# everywhere; `pytest --hypothesis-profile search` draws new ones.
hypothesis.settings.register_profile("course", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile("course")

ROOT = Path(__file__).parent.parent
WEB = ROOT / "nnlib" / "live" / "web"
NO_BROWSER = "no Chromium or Chrome found: set CHROMIUM=/path/to/chromium, or run `playwright install chromium`"
BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One more worker than cores: those that wait for a browser leave theirs to another."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return OneByOne(config, log)


class OneByOne(LoadScopeScheduling):
    """The next test goes to the worker that is free; but a notebook, and a file whose tests share what is long in the
    making, go to one."""

    WHOLE = {"test_operations", "test_pdf", "test_pieces", "test_sharing", "test_site_figures"}

    def _split_scope(self, nodeid):
        file = nodeid.split("::")[0]
        return file if file.endswith(".ipynb") or Path(file).stem in self.WHOLE else nodeid


def find_chromium(playwright):
    """The path of a browser on this machine, or None."""
    if named := os.environ.get("CHROMIUM"):
        if not shutil.which(named):
            raise FileNotFoundError(f"CHROMIUM names {named}, which is not a program on this machine")
        return named
    found = filter(None, map(shutil.which, BROWSERS))
    own = playwright.chromium.executable_path
    return next(found, own if Path(own).exists() else None)


@pytest.fixture(scope="session")
def playwright():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def launch(playwright):
    """launch(*arguments): a browser with further command-line arguments; closed at the end of the session."""
    path = find_chromium(playwright)
    if path is None:
        (pytest.fail if os.environ.get("CI", "").lower() == "true" else pytest.skip)(NO_BROWSER)
    browsers = []

    def start(*arguments):
        browsers.append(playwright.chromium.launch(executable_path=path, args=[*BROWSER_OPTIONS, *arguments]))
        return browsers[-1]

    yield start
    for browser in browsers:
        browser.close()


@pytest.fixture(scope="session")
def browser(launch):
    return launch()


def pytest_terminal_summary(terminalreporter):
    """Tests that were skipped for want of a browser must not go unnoticed."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if NO_BROWSER in str(report.longrepr)]
    if skipped:
        terminalreporter.section("NOT TESTED: the site and the live figures in a browser", sep="!", red=True, bold=True)
        terminalreporter.line(f"{len(skipped)} tests were skipped: {NO_BROWSER}")
        for file in sorted({report.nodeid.split("::")[0] for report in skipped}):
            terminalreporter.line(f"  {file}: {sum(report.nodeid.startswith(file) for report in skipped)}")


@pytest.fixture
def visit(browser):
    """visit(url, **context): open a page; whatever a test does on it, it must log no error and ask no other host."""
    with visits(browser) as open_page:
        yield open_page


@contextlib.contextmanager
def visits(browser):
    contexts, problems = [], []

    def open_page(url, *, browser=browser, watched=True, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        if watched:
            watch(page, problems)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def watch(page, problems):
    """Note every console error, uncaught exception, failed request and request to another host."""
    page.on(
        "console", lambda message: message.type in ("error", "warning") and problems.append(f"console: {message.text}")
    )
    page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
    page.on("requestfailed", lambda request: note_failure(request, problems))
    page.on(
        "response", lambda response: response.status >= 400 and problems.append(f"{response.status}: {response.url}")
    )
    page.on("request", lambda request: is_elsewhere(request.url) and problems.append(f"other host: {request.url}"))


def note_failure(request, problems):
    if request.failure != "net::ERR_ABORTED":  # which only says that the page was left meanwhile
        problems.append(f"failed: {request.url} ({request.failure})")


def is_elsewhere(url):
    return not url.startswith(("http://127.0.0.1:", "file://", "data:", "blob:", "about:"))


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder below a prefix; says nothing on the terminal."""

    prefix = "/"

    def do_GET(self):
        if not self.path.startswith(self.prefix):
            return self.send_error(404)
        self.path = "/" + self.path.removeprefix(self.prefix)
        return super().do_GET()

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    """Does not mind a page that is closed before all of it was sent."""

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@pytest.fixture(scope="session")
def serve():
    """serve(folder, prefix="/"): the address, on a free port of this machine, where the folder can be read."""
    servers = []

    @functools.cache
    def start(folder, prefix="/"):
        handler = type(
            "Handler",
            (_Handler,),
            {"prefix": prefix, "extensions_map": {**_Handler.extensions_map, ".mjs": "text/javascript"}},
        )
        servers.append(_Server(("127.0.0.1", 0), functools.partial(handler, directory=folder)))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}{prefix}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def site(serve):
    """The address of the built site."""
    return serve(ROOT / "_build" / "html")


# A live figure's data as plain lists, and numbers that JSON does not know as words.
DATA = """figure => {
  const plain = (part) =>
    part?.data ? { shape: part.shape, data: Array.from(part.data, (v) => (Number.isFinite(v) ? v : String(v))) }
    : Array.isArray(part) ? part.map(plain)
    : part && typeof part === "object" ? Object.fromEntries(Object.entries(part).map(([k, v]) => [k, plain(v)]))
    : part;
  return plain(figure.data());
}"""


@pytest.fixture
def show(visit, serve, tmp_path):
    """show(*figures, **context): a page with these live figures, started as on the site."""
    for file in WEB.iterdir():
        shutil.copy(file, tmp_path)

    def open_page(*figures, **options):
        figures = "".join(figure.html for figure in figures)
        (tmp_path / "page.html").write_text(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>figures</title><link rel="icon" href="data:,">'
            f'<link rel="stylesheet" href="live.css"><body>{figures}<script type="module" src="page.mjs"></script>'
        )
        return visit(serve(tmp_path) + "page.html", **options)

    return open_page
