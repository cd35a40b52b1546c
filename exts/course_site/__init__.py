"""The few things that the site needs and Jupyter Book has no option for.

katex typesets the formulas, fonts cuts fonts, styles joins the style sheets, scripts chooses the scripts, outputs joins
what cells print, pages puts the pages right, weight makes them light, sharing describes them; node finds the programs
of npm that some of these need. This file says when each of them is called.
"""

import os
import shutil
from pathlib import Path

from sphinx.errors import ExtensionError

from . import fonts, katex, outputs, pages, scripts, sharing, styles

HERE = Path(__file__).parent
OWN_SHEETS = ("course_site.css", "preferences.css", "print.css")


def configure(app, config):
    config.templates_path.append(str(HERE / "templates"))
    sharing.take_address(app, config)
    outputs.join_outputs()


def prepare(app):
    """Gather the files of the site before anything is written."""
    if app.builder.format != "html":
        return
    missing = [name for name in ("figure.mjs", "page.mjs", "live.css") if not (scripts.WEB / name).exists()]
    if missing:
        raise ExtensionError(f"the live figures need {', '.join(missing)} in nnlib/live/web")
    katex.use_node()
    static = Path(app.doctreedir) / "static"  # html_static_path takes folders: one is put together for each build
    shutil.rmtree(static, ignore_errors=True)
    katex.copy_katex(static / "katex")
    fonts.figure_fonts(static / "fonts")
    shutil.copy(scripts.WEB / "live.css", static)
    (static / scripts.LIVE).write_text(scripts.live_code(), encoding="utf-8")
    for sheet in OWN_SHEETS:
        shutil.copy(HERE.parent / sheet, static)
    app.config.html_static_path.append(str(static))
    for sheet in ("live.css", *OWN_SHEETS):
        app.add_css_file(sheet, priority=900)  # after the theme's, to have the last word
    app.course_sheets = {}
    scripts.add_scripts(app)


def finish_page(app, pagename, templatename, context, doctree):
    """Put on each page what it needs, and nothing else."""
    styles.take_styles(app, context)
    scripts.choose_scripts(app, context)
    sharing.describe(app, pagename, context, doctree)
    pages.put_right(context)
    fonts.choose_fonts(context)


def read_side_by_side(app, env, docnames):
    """Run the notebooks on all cores: Sphinx can, and Jupyter Book has no option for it."""
    if numbering := app.extensions.get("sphinx_multitoc_numbering"):
        numbering.parallel_read_safe = True  # it counts when all pages are read, and does not say so
    app.parallel = os.cpu_count() or 1


def write_in_turn(app, env):
    app.parallel = 1  # what the pages need is gathered in this process


def add_pages(app, exception):
    if exception is None and app.builder.format == "html":
        pages.write_pages(app)
        sharing.write_sitemap(app)


def cut_styles(app, exception):
    if exception is None and app.builder.format == "html":
        styles.write_styles(app)


def setup(app):
    app.connect("config-inited", configure)
    app.connect("builder-inited", prepare, priority=400)  # before sphinxcontrib-katex starts
    app.connect("env-before-read-docs", read_side_by_side)
    app.connect("doctree-read", pages.fill_folds)
    app.connect("env-updated", write_in_turn)
    app.connect("doctree-resolved", pages.fold_beyond)
    app.connect("html-page-context", finish_page, priority=900)  # after the extensions that add scripts
    app.connect("build-finished", add_pages, priority=100)  # before the toc writes a bare index.html
    app.connect("build-finished", cut_styles, priority=900)  # after the extensions that bring their sheets only now
    return {"parallel_read_safe": True, "parallel_write_safe": False}
