"""The book as one PDF, made here of the built site, as `make pdf` makes it."""

import functools
import itertools
import re
import subprocess
import sys
import unicodedata

import pytest
import yaml
from bs4 import BeautifulSoup
from built import SITE
from conftest import ROOT
from pypdf import PdfReader
from pypdf.generic import Destination

TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
NAMES = [name.split("/")[-1] for name in (TOC["root"], *(entry["file"] for entry in TOC["chapters"]))]


@pytest.fixture(scope="module")
def pdf(launch):  # where there is no browser, this is skipped with the other tests that need one
    subprocess.run([sys.executable, "exts/pdf.py"], cwd=ROOT, check=True)
    (file,) = (ROOT / "_build" / "pdf").glob("*.pdf")
    return PdfReader(file)


@pytest.fixture(scope="module")
def texts(pdf):
    """The text of each page."""
    return [page.extract_text() for page in pdf.pages]


@pytest.fixture(scope="module")
def begins(pdf):
    """On which page, counted from 0, each chapter begins, by the name of its file, as the bookmarks have it."""
    chapters = [item for item in pdf.outline if isinstance(item, Destination)]
    return dict(zip(NAMES, map(pdf.get_destination_page_number, chapters), strict=True))


@functools.cache
def soup(name):
    return BeautifulSoup((SITE / "chapters" / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def letters(text):
    """Letters and digits alone, without ligatures: lines are broken elsewhere on paper."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text)))


def title(name):
    return soup(name).select_one("article h1").get_text().removesuffix("#").strip()


def test_the_bookmarks_are_the_chapters_with_their_sections_and_lead_to_their_titles(pdf, texts, begins):
    chapters = [item for item in pdf.outline if isinstance(item, Destination)]
    assert [chapter.title for chapter in chapters] == [title(name) for name in NAMES]
    for name, page in begins.items():
        assert letters(title(name)) in letters(texts[page])[:80]
    sections = [item for item in pdf.outline if isinstance(item, list)]
    expected = [len(soup(name).select("article h2")) for name in NAMES]
    assert [len(part) for part in sections] == [count for count in expected if count]
    for section in itertools.chain(*sections):
        page = pdf.get_destination_page_number(section)
        assert letters(section.title)[:12] in letters(texts[page])


def test_no_heading_stands_alone_at_the_foot_of_a_page(pdf, texts):
    for section in itertools.chain(*(item for item in pdf.outline if isinstance(item, list))):
        page = texts[pdf.get_destination_page_number(section)]
        assert not letters(page).endswith(letters(section.title)), section.title


def test_chapters_follow_each_other_and_fill_the_book(texts, begins):
    pages = [*begins.values(), len(texts)]
    assert pages == sorted(pages) and pages[0] > 1  # after the title page and the contents
    assert len(texts) > 100
    for name, (first, last) in zip(NAMES, itertools.pairwise(pages), strict=True):
        assert len("".join(texts[first:last])) > 500, name


def test_the_contents_have_every_chapter_with_its_page(texts, begins):
    contents = letters("".join(texts[1 : begins["index"]]))
    for name, page in begins.items():
        assert letters(title(name)) + str(page + 1) in contents


def test_every_page_but_the_first_has_its_number(texts):
    for number, text in enumerate(texts[1:], 2):
        assert text.split()[0] == str(number)


def test_links_within_the_book_lead_into_the_chapter_that_they_name(pdf, begins):
    ends = dict(zip(NAMES, [*list(begins.values())[1:], len(pdf.pages)], strict=True))
    leads, places = 0, pdf.named_destinations
    for link in links(pdf):
        action = link.get("/A", {})
        name = link.get("/Dest") or action.get("/D")
        if name is None:
            continue
        page = pdf.get_destination_page_number(places[name])
        chapter = name.lstrip("/").split("--")[0]
        assert begins[chapter] <= page < ends[chapter], name
        leads += 1
    assert leads > 300


def test_what_leads_out_of_the_book_leads_to_the_web(pdf):
    addresses = [link["/A"]["/URI"] for link in links(pdf) if "/URI" in link.get("/A", {})]
    assert len(addresses) > 30
    assert [address for address in addresses if not address.startswith(("https://", "http://", "mailto:"))] == []


def links(pdf):
    annotations = (annotation.get_object() for page in pdf.pages for annotation in page.get("/Annots", []))
    return [annotation for annotation in annotations if annotation["/Subtype"] == "/Link"]


def test_formulas_are_typeset(texts):
    code = "".join("".join(part.get_text().split()) for name in NAMES for part in soup(name).select("pre, code"))
    raw = [line for text in texts for line in text.splitlines() if re.search(r"\$|\\[a-z]{2,}", line)]
    assert [line for line in raw if "".join(line.split()) not in code] == []


def test_the_fonts_are_those_of_the_site(pdf):
    fonts = {font.get("/BaseFont", "") for page in pdf.pages for font in page["/Resources"].get("/Font", {}).values()}
    for family in ("CourseSerif", "KaTeX_Main", "KaTeX_Math", "DejaVuSans", "STIXGeneral"):
        assert any(family in font for font in fonts), family


def test_what_a_closed_fold_hides_on_screen_is_on_paper(texts):
    paper = "".join(map(letters, texts))
    outputs = "details.below-input pre, details.above-input .cell_output pre"
    printed = [letters(part.get_text())[:80] for name in NAMES for part in soup(name).select(outputs)]
    assert len(printed) > 100
    assert [text for text in printed if text not in paper] == []


def test_the_code_of_solutions_is_on_paper(texts):
    paper = "".join(map(letters, texts))
    solutions = [letters(part.get_text()) for name in NAMES for part in soup(name).select(".tag_solution .cell_input")]
    assert len(solutions) > 30
    assert [code for code in solutions if code[:40] not in paper] == []


def test_the_book_says_what_it_is_and_can_be_read_aloud(pdf):
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert (pdf.metadata.title, pdf.metadata.author) == (settings["title"], settings["author"])
    assert pdf.root_object["/Lang"] == "en"
    assert pdf.root_object["/MarkInfo"]["/Marked"] and "/StructTreeRoot" in pdf.root_object
