"""What a page of the site weighs, and that nothing is lost where it was cut. `make book` builds it first."""

import base64
import datetime
import functools
import gzip
import io
import re
from urllib.parse import urlsplit

import numpy as np
import pytest
from built import DESK, PAGES, PHONE, SITE, source, unfold
from course_site import weight
from fontTools.misc.timeTools import timestampToString
from fontTools.ttLib import TTFont
from PIL import Image
from text_fonts import make_face

# Compressed bytes that a page may ask for until all of it is laid out: all but its own text, and that.
AROUND, TEXT = 265_000, 235_000
READ = [page for page in PAGES if page != "404.html"]
every_read_page = pytest.mark.parametrize("page", READ)


@functools.cache
def size(path):
    content = (SITE / path).read_bytes()
    return len(content) if path.endswith((".woff2", ".png")) else len(gzip.compress(content))


def asked_for(visit, site, page):
    """What the browser loads for a page, from the top of it to its end."""
    found = []
    opened = visit("about:blank")
    opened.on("request", lambda request: found.append(request.url))
    opened.goto(site + page)
    opened.wait_for_load_state("networkidle")
    return [urlsplit(url).path.lstrip("/") for url in found if url.startswith(site)]


# -- weight ----------------------------------------------------------------------------------------------------------


@every_read_page
def test_a_page_is_light_and_asks_for_nothing_that_it_does_not_use(visit, site, page):
    text, *around = asked_for(visit, site, page)
    assert text == page
    sheets = [path for path in around if path.endswith(".css")]
    assert sheets == ["_static/course.css"] + ["_static/fonts/fonts.css"] * ("<svg" in source(page))
    assert not any("fontawesome.js" in path or path.endswith(".ttf") for path in around)
    assert ("searchindex.js" in around) == (page == "search.html")
    around = set(around) - {"searchindex.js"}
    assert sum(map(size, around)) <= AROUND, {path: size(path) for path in around}
    assert size(page) <= TEXT


@every_read_page
def test_no_script_keeps_a_page_waiting(page):
    text, late = re.subn(r'<template id="late">.*?</template>', "", source(page), flags=re.DOTALL)
    assert late == 1
    for attributes in re.findall(r"<script([^>]*\bsrc=[^>]*)>", text):
        assert "defer" in attributes
    head = text.partition("</head>")[0]
    inline = re.findall(r"<script>(.*?)</script>", head, flags=re.DOTALL)
    assert inline and len("".join(inline)) < 3000


@every_read_page
def test_the_fonts_of_the_first_screen_are_asked_for_before_the_style_sheet_names_them(visit, site, page):
    opened = visit(site + page, viewport=PHONE)
    opened.wait_for_load_state("networkidle")
    asked = """() => performance.getEntriesByType("resource").filter((entry) => entry.name.endsWith(".woff2"))
        .map(({ name, initiatorType }) => [name.split("/").at(-1), initiatorType])"""
    early = {font for font, asker in opened.evaluate(asked) if asker == "link"}
    assert {"regular.woff2", "bold.woff2"} <= early
    if 'class="course-map"' in source(page):
        assert {"KaTeX_Main-Regular.woff2", "KaTeX_Math-Italic.woff2"} <= early
    assert 'class="katex"' in source(page) or not any("KaTeX" in font for font in early)


@every_read_page
def test_a_page_holds_nothing_twice_and_no_marks_that_draw_nothing(page):
    text = source(page)
    assert "<annotation" not in text and not re.search(r'<span class="(n|nn|o|p|w)">[^<]*</span>', text)
    assert re.findall(r'<script type="application/json">[^<]', text) == []  # the programs of the figures have a file
    assert not re.search(r'src="[^"]*logo-\w+\.svg"', text)


# -- nothing is lost -------------------------------------------------------------------------------------------------

# The computed styles of the elements of a page, one of each kind, and of what stands before and after them: once as the
# page is, and once with another sheet in place of its own. What differs: [kind, part, property, value, other value].
DIFFERENCES = """async (other) => {
  const kinds = new Map();
  for (const element of document.querySelectorAll("body, body *:not(svg, svg *)"))
    kinds.set(element.tagName + "." + [...element.classList].sort().join("."), element);
  const styles = () => {
    for (const animation of document.getAnimations()) animation.finish();
    return [...kinds].flatMap(([kind, element]) => [null, "::before", "::after"].map((part) => {
      const style = getComputedStyle(element, part);
      const keys = [...style].filter((key) => !key.startsWith("--")); // a variable that nothing uses is gone
      return [kind, part, keys.map((key) => [key, style.getPropertyValue(key)])];
    }));
  };
  const before = styles(), sheet = document.querySelector("link[rel=stylesheet]");
  await new Promise((resolve) => { sheet.onload = resolve; sheet.href = other; });
  await document.fonts.ready;
  const differences = [];
  for (const [i, [kind, part, after]] of styles().entries())
    for (const [k, [key, value]] of after.entries())
      if (before[i][2][k][1] !== value) differences.push([kind, part, key, before[i][2][k][1], value]);
  return [kinds.size, differences];
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", ["chapters/losses.html", "chapters/notation.html", "search.html"])
def test_a_page_looks_as_with_all_rules(visit, site, page, theme):
    """The purged sheet against the whole one, which the build leaves beside its other intermediate files."""
    whole = (SITE.parent / ".doctrees" / "course.css").read_text(encoding="utf-8")
    opened = visit(site + page, viewport=DESK, color_scheme=theme, reduced_motion="reduce")
    opened.route("**/_static/whole.css", lambda route: route.fulfill(body=whole, content_type="text/css"))
    unfold(opened)
    kinds, differences = opened.evaluate(DIFFERENCES, site + "_static/whole.css")
    assert kinds > 30
    assert differences[:6] == []


def test_a_picture_with_a_palette_is_the_same_picture():
    rng = np.random.default_rng(0)
    for colours, is_lighter in ((200, True), (400, False)):
        pixels = rng.integers(0, 256, (colours, 4), dtype=np.uint8)[rng.integers(0, colours, (90, 120))]
        written = io.BytesIO()
        Image.fromarray(pixels).save(written, "PNG")
        before = base64.b64encode(written.getvalue()).decode()
        after = weight.with_palette(before)
        assert np.array_equal(Image.open(io.BytesIO(base64.b64decode(after))).convert("RGBA"), pixels)
        assert (len(after) < 0.5 * len(before)) == is_lighter


# Which fonts draw the text of an element: a character that was cut out of a font comes from another one.
MISSING = """async () => {
  await Promise.all([...document.fonts].map((font) => font.load()));
  const found = new Set();
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  const walker = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
  for (let text; (text = walker.nextNode()); ) {
    const { fontFamily, fontStyle, fontWeight } = getComputedStyle(text.parentElement);
    const family = fontFamily.split(", ").filter((name) => /^"?(KaTeX|DejaVu Sans(?! Mono)|STIX)/.test(name)).join();
    if (!family) continue;
    for (const character of text.data.replace(/\\s/g, "")) {
      const width = (fallback) => {
        canvas.font = `${fontStyle} ${fontWeight} 100px ${family}, ${fallback}`;
        return canvas.measureText(character).width;
      };
      const widths = new Set(["monospace", "serif", "sans-serif"].map(width));
      if (widths.size > 1) found.add(family + character); // another font has drawn it
    }
  }
  return [...found];
}"""


@pytest.mark.parametrize("page", [page for page in READ if page.startswith("chapters/")])
def test_the_fonts_have_every_character_of_the_page(visit, site, page):
    opened = visit(site + page, viewport=DESK)
    unfold(opened)
    assert opened.evaluate(MISSING) == []


def test_an_icon_is_drawn_by_its_font(visit, site):
    opened = visit(site + "search.html", viewport=DESK)
    icons = opened.locator("i.fa-solid:visible").all()
    assert icons and opened.evaluate("document.fonts.check('900 16px \"Font Awesome 6 Free\"', '\\uf002')")
    assert all(icon.bounding_box()["width"] > 5 for icon in icons)


# -- what is laid out later ------------------------------------------------------------------------------------------


def test_code_that_is_wider_than_a_phone_scrolls_with_the_keyboard_once_it_is_in_sight(visit, site):
    opened = visit(site + "chapters/neuron.html", viewport=PHONE)
    code = opened.locator("section section .cell_input pre:visible").first
    code.scroll_into_view_if_needed()
    wide = "(code) => code.scrollWidth > code.clientWidth"
    for code in opened.locator("section section .cell_input pre:visible").all()[:8]:
        code.scroll_into_view_if_needed()
        opened.wait_for_timeout(100)
        assert code.evaluate("(code) => code.tabIndex") == (0 if code.evaluate(wide) else -1)


def test_a_link_into_a_page_arrives_where_it_points(visit, site):
    opened = visit(site + "chapters/neuron.html#neuron-summary", viewport=PHONE)
    opened.wait_for_load_state("networkidle")
    opened.wait_for_timeout(500)
    top = opened.evaluate("document.getElementById('neuron-summary').getBoundingClientRect().top")
    assert -50 < top < PHONE["height"] / 2


def test_a_font_does_not_say_when_it_was_cut():
    """Else a site built today would differ from the same one built yesterday."""
    written = io.BytesIO()
    make_face("italic", 400, "U+61").save(written)
    modified = timestampToString(TTFont(written, recalcTimestamp=False)["head"].modified)
    assert int(modified[-4:]) < datetime.date.today().year, modified
