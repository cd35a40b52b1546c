"""What others see of a page: its description, and, where the site has an address, a card, a sitemap, robots.txt.

The address is `SITE_ADDRESS` of the environment, or `html: baseurl:` of _config.yml.
"""

import io
import os
import re
import textwrap
from itertools import pairwise
from pathlib import Path
from urllib.parse import urljoin

from docutils import nodes
from jinja2 import Template
from markupsafe import Markup
from matplotlib.figure import Figure

LENGTHS = range(50, 161)  # of a description: search engines show no more, and few words say nothing
ASIDE = re.compile(r"\s*[(\[][^)\]]*[)\]]")
WITHOUT_TEXT = {
    "genindex": "All terms of the course from A to Z",
    "search": "Search all pages of the course",
}
CARDS = "_static/cards"
PAPER, INK, FORWARD, BACKWARD = "#ffffff", "#14202e", "#0b5cad", "#b8500b"  # as in the picture of the first page
SITEMAP = Template("""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{% for address in addresses %}<url><loc>{{ address | e }}</loc></url>
{% endfor %}</urlset>
""")


def take_address(app, config):
    """The address of the site, with a slash at its end; without one the site works anywhere, and has no card."""
    address = os.environ.get("SITE_ADDRESS") or config.html_baseurl
    config.html_baseurl = address.rstrip("/") + "/" if address else ""


def describe(app, pagename, context, doctree):
    """Give a page its description and, where the site has an address, its card."""
    course = app.config.html_title
    context["description"] = (
        first_sentences(doctree) if doctree else f"{WITHOUT_TEXT.get(pagename, pagename)}: {course}"
    )
    if doctree and app.config.html_baseurl:
        file = f"{CARDS}/{pagename.replace('/', '-')}.png"
        target = Path(app.outdir) / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(draw_card(Markup(context["title"]).striptags(), course))
        context["card"] = urljoin(app.config.html_baseurl, file)


def first_sentences(doctree):
    """The first sentences of a page without a formula, as many as are shown."""
    description = doctree.next_node(nodes.title).astext()
    for paragraph in doctree.findall(nodes.paragraph):
        words = ""
        for part in paragraph.children:
            if isinstance(part, nodes.math):
                break
            words += part.astext()
        words = " ".join(ASIDE.sub("", words).split())
        ends = [i + 1 for i, mark in enumerate(words) if mark in ".?!" and words[i + 1 : i + 2] in ("", " ")]
        fitting = [end for end in ends if end in LENGTHS]
        if fitting:
            return words[: fitting[-1]]
    return description


def draw_card(title, course):
    """The card of a page, 1200 × 630 pixels: its title above the chain that the course follows, there and back."""
    figure = Figure(figsize=(12, 6.3), dpi=100, facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 12), ylim=(0, 6.3), aspect="equal")
    axes.set_axis_off()
    axes.text(0.8, 5.6, textwrap.fill(title, 24), color=INK, size=46, weight="bold", va="top", linespacing=1.15)
    axes.text(0.8, 0.75, course if course != title else "An open course", color=INK, size=24)
    names, places = (r"$x$", "$a$", r"$\hat{y}$", "$L$"), (1.3, 4.4, 7.5, 10.6)
    for name, x in zip(names, places, strict=True):
        axes.text(x, 2.2, name, color=INK, size=34, ha="center", va="center")
    arrow = {"arrowstyle": "-|>", "linewidth": 3, "mutation_scale": 22, "shrinkA": 0, "shrinkB": 0}
    for left, right in pairwise(places):
        left, right = left + 0.5, right - 0.5
        axes.annotate("", (right, 2.35), (left, 2.35), arrowprops={**arrow, "color": FORWARD})
        axes.annotate("", (left, 2.05), (right, 2.05), arrowprops={**arrow, "color": BACKWARD})
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def write_sitemap(app):
    """Tell search engines the pages with text of their own, if the site has an address."""
    root = app.config.html_baseurl
    if not root:
        return
    addresses = [urljoin(root, app.builder.get_target_uri(page)) for page in sorted(app.env.found_docs)]
    out = Path(app.outdir)
    (out / "sitemap.xml").write_text(SITEMAP.render(addresses=addresses) + "\n", encoding="utf-8")
    (out / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {root}sitemap.xml\n", encoding="utf-8")
