"""The helps around the text: the look, the map, the glossary, the symbols, the page of the library, the search."""

import functools
import re
from pathlib import Path

import logo
import pytest
import yaml
from built import CHAPTERS, DESK, LAY_OUT, every_chapter, how_many, source
from conftest import ROOT
from glossary_links import EVERYDAY
from test_structure import ITEMS, PUBLIC

THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
ON_THE_MAP = [f"chapters/{name}.html" for name in ITEMS]
each_on_the_map = pytest.mark.parametrize("page", ON_THE_MAP)


# ---- the look ------------------------------------------------------------------------------------------------------


def test_the_logo_is_what_its_program_draws():
    for name, content in logo.pictures().items():
        assert (ROOT / "exts" / name).read_text(encoding="utf-8") == content, "run: python exts/logo.py"


# The contrast of the first colour on the second, as WCAG counts it; both are names of properties or colours.
CONTRAST = """(pairs) => {
  const probe = document.body.appendChild(document.createElement("i"));
  const luminance = (colour) => {
    probe.style.color = colour.startsWith("--") ? `var(${colour})` : colour;
    const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).map((part) => part / 255);
    const [r, g, b] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return pairs.map(([ink, paper]) => {
    const [low, high] = [luminance(ink), luminance(paper)].sort((a, b) => a - b);
    return [ink, paper, (high + 0.05) / (low + 0.05)];
  });
}"""


@THEMES
def test_the_colours_of_the_page_stand_out(visit, site, theme):
    papers = ["--course-paper", "--course-margin", "--course-panel", "--course-tint"]
    inks = ["--course-ink", "--course-quiet", "--course-blue"]
    pairs = [[ink, paper] for ink in inks for paper in papers] + [["--course-orange", "--course-paper"]]
    contrasts = visit(site + "chapters/neuron.html", color_scheme=theme).evaluate(CONTRAST, pairs)
    assert min(contrast for *_, contrast in contrasts) > 1.5, "the colours are not there"
    assert [pair for pair in contrasts if pair[-1] < 4.5] == []


@THEMES
def test_page_and_figures_share_one_palette(visit, site, theme):
    opened = visit(site + "chapters/neuron.html", color_scheme=theme)
    colours = opened.evaluate("""["blue", "orange"].map((name) => ["course", "live"].map((of) => {
        const figure = document.querySelector(".live");
        figure.style.color = `var(--${of}-${name}, transparent)`;
        return getComputedStyle(figure).color;
    }))""")
    assert all(page == figure != "rgba(0, 0, 0, 0)" for page, figure in colours)


@every_chapter
def test_a_line_of_text_is_comfortable_to_read(visit, site, page):
    """No paragraph is wider than about 75 letters of its font."""
    letters = visit(site + page, viewport={"width": 1600, "height": 900}).evaluate("""async () => {
      await document.fonts.ready;
      const pen = document.createElement("canvas").getContext("2d");
      return [...document.querySelectorAll("article section > p")].map((paragraph) => {
        const { fontStyle, fontWeight, fontSize, fontFamily } = getComputedStyle(paragraph);
        pen.font = `${fontStyle} ${fontWeight} ${fontSize} ${fontFamily}`;
        const sentence = "The sum of all weighted inputs is the activation; the response turns it into a prediction.";
        return (paragraph.clientWidth * sentence.length) / pen.measureText(sentence).width;
      });
    }""")
    assert not letters or 55 < max(letters) < 78


# ---- the map -------------------------------------------------------------------------------------------------------


@each_on_the_map
def test_the_map_marks_the_part_of_the_chapter_and_leads_to_the_others(visit, site, page):
    opened = visit(site + page, viewport=DESK)
    links = opened.locator("nav.course-map a")
    assert [link.get_attribute("href").split("#")[0] or Path(page).name for link in links.all()] == [
        Path(chapter).name for chapter in ON_THE_MAP
    ]
    marked = [link.get_attribute("aria-current") for link in links.all()]
    assert marked == ["page" if chapter == page else None for chapter in ON_THE_MAP]
    current = opened.locator("nav.course-map a[aria-current]")
    assert current.locator(".name").text_content() in current.get_attribute("aria-label")
    lit = "getComputedStyle(link.querySelector('.name')).fontWeight"
    weights = [link.evaluate(f"(link) => {lit}") for link in links.all()]
    assert [weight == "700" for weight in weights] == [mark == "page" for mark in marked]


def test_only_chapters_have_a_map_in_the_order_of_the_contents():
    assert sorted(page for page in CHAPTERS if how_many(page, 'class="course-map"')) == sorted(ON_THE_MAP)
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["chapters"]
    order = [f"{chapter['file']}.html" for chapter in contents]
    assert [page for page in order if page in ON_THE_MAP] == ON_THE_MAP


# ---- the glossary --------------------------------------------------------------------------------------------------

# The text of a page as it is read, without what is no prose, and where in it each linked term stands.
PROSE = """() => {
  const article = document.querySelector("article").cloneNode(true);
  const skipped = "template, .katex, pre, code, table, h1, h2, h3, h4, summary, nav, script, .cell_output, .citation";
  article.querySelectorAll(skipped).forEach((part) => part.replaceWith("\\u0000"));
  const links = [...article.querySelectorAll("a > .std-term")];
  links.forEach((term) => term.replaceChildren(`\\u0001${term.textContent}\\u0002`));
  article.querySelectorAll("a:not(:has(> .std-term))").forEach((link) => link.replaceWith("\\u0000"));
  article.querySelectorAll("strong, em").forEach((part) => { part.prepend("\\u0003"); part.append("\\u0003"); });
  return [...article.querySelectorAll("p")].map((paragraph) => paragraph.textContent).join(" \\u0000 ");
}"""


@functools.cache
def glossary():
    """The names of each entry."""
    entries = []
    for line in (ROOT / "chapters/glossary.md").read_text(encoding="utf-8").split("```{glossary}")[1].split("\n\n"):
        names = [name for name in line.splitlines() if name and not name.startswith((" ", "```"))]
        entries += [names] if names else []
    return entries


@pytest.mark.parametrize("page", [*ON_THE_MAP, "chapters/index.html"])
def test_a_term_is_linked_once_on_a_page_and_where_it_comes_first(visit, site, page):
    opened = visit(site + page, viewport=DESK)
    text = opened.evaluate(PROSE)
    for phrase in EVERYDAY:
        text = re.sub(rf"\b{phrase}\b", "…", text, flags=re.IGNORECASE)
    entry = {name.lower(): names[0] for names in glossary() for name in names}
    words = "|".join(re.escape(name) for name in sorted(entry, key=len, reverse=True))
    first, linked = {}, []
    for found in re.finditer(rf"(?<![\w-])(\x01?)({words})(?:e?s)?(?![\w-])", re.sub(r"\s+", " ", text), re.IGNORECASE):
        name = entry[found[2].lower()]
        first.setdefault(name, bool(found[1]))
        linked += [name] if found[1] else []
    assert linked, "there is no link"
    assert sorted(linked) == sorted(set(linked))
    assert [name for name, is_linked in first.items() if not is_linked] == []


@each_on_the_map
def test_each_linked_term_has_its_tip_on_the_page(visit, site, page):
    opened = visit(site + page, viewport=DESK)
    without = opened.evaluate("""[...document.querySelectorAll("a:has(> .std-term)")].filter((link) =>
        !document.querySelector(`template[data-terms~="${link.hash.slice(1)}"]`)?.content.textContent.trim())""")
    assert without == []


def a_term(opened):
    return opened.locator("article section p a:has(> .std-term)").first


def test_a_tip_shows_on_focus_and_goes_on_escape_and_when_the_focus_leaves(visit, site):
    opened = visit(site + "chapters/losses.html", viewport=DESK)
    tip = opened.locator("#term-tip")
    link = a_term(opened)
    assert tip.is_hidden()
    link.evaluate("(link) => { document.body.tabIndex = -1; link.focus({ focusVisible: true }); }")
    tip.wait_for()
    assert tip.get_attribute("role") == "tooltip" and link.get_attribute("aria-describedby") == "term-tip"
    assert len(tip.text_content().split()) > 5
    opened.keyboard.press("Escape")
    assert tip.is_hidden() and link.get_attribute("aria-describedby") is None
    assert link.evaluate("(link) => link === document.activeElement")
    opened.keyboard.press("Tab")
    opened.keyboard.press("Shift+Tab")
    tip.wait_for()
    opened.keyboard.press("Tab")
    assert link.get_attribute("aria-describedby") is None


def test_a_tip_under_the_pointer_stays_while_the_pointer_is_on_it(visit, site):
    opened = visit(site + "chapters/losses.html", viewport=DESK)
    tip = opened.locator("#term-tip")
    a_term(opened).hover()
    tip.wait_for()
    tip.hover()
    opened.wait_for_timeout(600)  # longer than the way from the link to the tip may take
    assert tip.is_visible()
    opened.locator("article h1").hover()
    tip.wait_for(state="hidden")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_tip_stays_on_the_screen(visit, site, width):
    opened = visit(site + "chapters/neuron.html", viewport={"width": width, "height": 844})
    opened.evaluate(LAY_OUT)  # else a line may still move while the tip is measured
    opened.wait_for_load_state("networkidle")
    for link in opened.locator("article section > p a:has(> .std-term)").all()[:12]:
        if link.is_visible():
            link.evaluate("(link) => link.focus({ focusVisible: true })")
            box = opened.locator("#term-tip").bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["y"] >= 0
            assert box["y"] + box["height"] <= 844


# ---- symbols -------------------------------------------------------------------------------------------------------


def test_every_symbol_has_its_place():
    rows = re.findall(r'<tr\b[^>]*id="symbol-\d+"', source("chapters/notation.html"))
    table = (ROOT / "chapters/notation.md").read_text(encoding="utf-8").split("| symbol |")[1].split("\n\n")[0]
    assert len(rows) == len(table.splitlines()) - 2


@each_on_the_map
def test_a_chapter_lists_its_symbols_with_their_shapes(visit, site, page):
    opened = visit(site + page, viewport=DESK)
    fold = opened.locator("details.symbols")
    assert fold.count() == 1 and not fold.locator("table").is_visible()
    fold.locator("summary").press("Enter")
    formulas = fold.locator("tbody tr").evaluate_all("(rows) => rows.map((row) => row.querySelector('math').innerHTML)")
    bold = [re.sub(r'<mi mathvariant="bold[^"]*">(.*?)</mi>', r"**\1**", formula) for formula in formulas]
    listed = [re.sub("<.*?>", "", formula) for formula in bold]
    assert len(listed) == len(set(listed)) and {"**x**", "a=**w**T**x**"} <= set(listed)
    of_some = {"vec(**X**)": ["chain_rule", "matrix_calculus"], "mi=yiai": ["losses"]}
    for symbol, stems in of_some.items():
        assert (symbol in listed) >= (Path(page).stem in stems)
    assert ("**δ**" in listed) == (Path(page).stem in ("chain_rule", "backpropagation"))


# ---- the library ---------------------------------------------------------------------------------------------------


def test_the_page_of_the_library_has_every_public_name_with_its_source():
    page = source("chapters/api.html")
    for module, names in PUBLIC.items():
        for name in names.split():
            assert f'id="{module}.{name}"' in page, f"{module}.{name} is missing in chapters/api.md"
    whole = sum("." not in name for names in PUBLIC.values() for name in names.split())
    assert len(re.findall(r"Source, in nnlib/\w+", page)) == whole


@each_on_the_map
def test_code_cells_lead_to_the_library(page):
    links = re.findall(r'class="sphinx-codeautolink-a" href="[^"#]*api\.html#(nnlib\.[\w.]+)"', source(page))
    places = set(re.findall(r'id="(nnlib\.[\w.]+)"', source("chapters/api.html")))
    assert len(links) > 20 and set(links) <= places


# ---- the search ----------------------------------------------------------------------------------------------------

SEARCHES = {
    "softmax": "glossary.html#term-softmax",
    "logistic": "api.html#nnlib.activations.logistic",
    "vec": "notation.html#symbol-",
    "σ": "notation.html#symbol-",
    "sigma": "notation.html#symbol-",
    "Jacobian": "glossary.html#term-Jacobian",
    "∂L/∂w": "notation.html#numerator-layout",
    "Hadamard": "notation.html#symbol-",
    "learning rate": "notation.html#symbol-",
}


@pytest.mark.parametrize("words", SEARCHES)
def test_the_search_finds_terms_and_symbols(visit, site, words):
    opened = visit(site + "search.html", viewport=DESK)
    opened.goto(f"{site}search.html?q={words}")
    opened.locator("#search-results li a").first.wait_for()
    opened.wait_for_timeout(500)
    found = opened.locator("#search-results li a").evaluate_all("(links) => links.map((link) => link.href)")
    assert any(SEARCHES[words] in address for address in found[:5]), found[:5]
