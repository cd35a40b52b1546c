"""What a public address adds to the site: canonical links, cards, a sitemap; and the page for a lost address."""

import io
import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from built import PAGES, SITE, every_chapter, source
from conftest import ROOT
from PIL import Image

ADDRESS = "https://course.example/of/networks/"
PAGE = "# A page\n\nThe first sentence of this page says what it is about. Then $x = 1$ follows.\n"
CONFIG = """
title: A course
sphinx:
  local_extensions: {{course_site: {extensions}}}
  extra_extensions: [sphinxcontrib.katex]
  config: {{html_math_renderer: katex, katex_prerender: true, katex_css_path: katex/katex.min.css}}
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """build(address): a book of one page, made by the course's extension."""

    def make(address):
        folder = tmp_path_factory.mktemp("book")
        (folder / "page.md").write_text(PAGE)
        (folder / "_toc.yml").write_text("format: jb-book\nroot: page\n")
        config = CONFIG.format(extensions=ROOT / "exts")
        (folder / "_config.yml").write_text(config, encoding="utf-8")
        program = os.path.join(os.path.dirname(sys.executable), "jupyter-book")
        result = subprocess.run(
            [program, "build", "--quiet", "-W", folder],
            env=os.environ | {"SITE_ADDRESS": address},
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        return folder / "_build" / "html"

    return make


def test_with_an_address_a_page_has_a_card_and_a_place_in_the_sitemap(build):
    site = build(ADDRESS.rstrip("/"))
    page = (site / "page.html").read_text(encoding="utf-8")
    assert f'<link rel="canonical" href="{ADDRESS}page.html" />' in page
    properties = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', page))
    assert properties["title"] == "A page"
    assert properties["description"] == "The first sentence of this page says what it is about."
    assert properties["url"] == ADDRESS + "page.html"
    assert properties["image"].startswith(ADDRESS)
    card = Image.open(io.BytesIO((site / properties["image"].removeprefix(ADDRESS)).read_bytes()))
    assert (card.format, card.size) == ("PNG", (1200, 630)) and len(card.getcolors(1 << 20)) > 50
    locations = [element.text for element in ElementTree.parse(site / "sitemap.xml").iter() if "loc" in element.tag]
    assert locations == [ADDRESS + "page.html"]
    assert f"Sitemap: {ADDRESS}sitemap.xml" in (site / "robots.txt").read_text()
    assert 'href="/of/networks/page.html"' in (site / "404.html").read_text()


def test_without_an_address_none_is_claimed(build):
    site = build("")
    page = (site / "page.html").read_text(encoding="utf-8")
    assert '<meta name="description" content="The first sentence of this page says what it is about.">' in page
    assert "canonical" not in page and "og:" not in page
    assert not any((site / name).exists() for name in ("sitemap.xml", "robots.txt", "_static/cards"))


@every_chapter
def test_every_page_describes_itself_in_words_of_its_own(page):
    def description(page):
        return re.search(r'<meta (?=[^>]*name="description")[^>]*content="([^"]*)"', source(page))[1]

    assert 50 <= len(description(page)) <= 160 and description(page)[-1] in ".?!"
    assert [other for other in PAGES if other != "404.html" and description(other) == description(page)] == [page]


@pytest.mark.parametrize("folder", ["", "chapters/", "chapters/deep/down/"])
@pytest.mark.parametrize("prefix", ["/", "/some/prefix/"])
def test_the_page_for_a_lost_address_leads_home_from_any_folder(visit, serve, folder, prefix):
    root = serve(SITE, prefix)
    opened = visit("about:blank", watched=False)  # its search for the way is a series of misses
    lost = root + folder + "no-such-page.html"
    opened.route(lost, lambda route: route.fulfill(status=404, content_type="text/html", body=source("404.html")))
    opened.goto(lost)
    opened.wait_for_load_state("networkidle")
    opened.get_by_role("link").click()
    opened.wait_for_url(root + "chapters/index.html")


def test_the_page_for_a_lost_address_leads_home_without_javascript_and_from_disk(visit):
    opened = visit((SITE / "404.html").as_uri(), java_script_enabled=False, watched=False)
    opened.get_by_role("link").click()
    opened.wait_for_url("**/chapters/index.html")
