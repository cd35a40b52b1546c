"""The whole book as one PDF, with typeset formulas, bookmarks and links: `make pdf`.

The articles of the built pages, in the order of _toc.yml, are put into one long page, which Chromium prints; so the
page numbers run through and what referred to another page leads there. It is printed twice: the first print tells the
table of contents on which pages its entries are.
"""

import logging
import os
import re
import shutil
import sys
from contextlib import contextmanager
from html import escape
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import Error, sync_playwright
from pypdf import PdfWriter

ROOT = Path(__file__).parent.parent
SITE = ROOT / "_build" / "html"
FOLDER = ROOT / "_build" / "pdf"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# What is of no use on paper; code that is folded and solves no exercise is in the notebooks, what it prints is shown.
FOLDED_CODE = ".cell:not(.tag_solution) > details.above-input"
LEFT_OUT = f"{FOLDED_CODE}:not(:has(.cell_output)), {FOLDED_CODE} > .cell_input, dl.py details"
SCREEN_ONLY = f"script, noscript, form, .live-status, .headerlink, .sd-summary-state-marker, {LEFT_OUT}"
REFERENCES = ("for", "aria-labelledby", "aria-describedby", "aria-controls")

BOOK = """<!DOCTYPE html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="stylesheet" href="{sheet}">
<link rel="stylesheet" href="{figure_fonts}">
<style>
@page :first {{ @bottom-center {{ content: none; }} }}
section.chapter, .book-contents {{ break-before: page; }}
.title-page {{ padding-top: 80mm; text-align: center; }}
.title-page .title {{ font-size: 30pt; line-height: 1.2; }}
.book-contents ul {{ padding: 0; list-style: none; }}
.book-contents li > a {{ display: flex; color: inherit; text-decoration: none; }}
.book-contents li > a > .page {{ margin-left: auto; padding-left: 1em; }}
.book-contents > ul > li {{ margin-top: 0.8em; break-inside: avoid; }}
.book-contents > ul > li > a {{ font-weight: 600; }}
.book-contents ul ul {{ padding-left: 1.5em; }}
:is(h1, h2, h3) ~ span[id]:empty {{ display: block; break-after: avoid; }}
</style>
</head>
<body>
<div class="bd-main"><main class="bd-content"><div class="bd-article-container"><div class="bd-article">
<div class="title-page"><p class="title">{title}</p><p>{author}</p><p>{licence}</p></div>
<nav class="book-contents"><h1>Contents</h1>{contents}</nav>
{chapters}
</div></div></main></div>
</body>
</html>
"""
LICENCE = "Text and figures: CC BY 4.0. Code: BSD 3-Clause."


def main():
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it counts Chromium's objects otherwise than Chromium does
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    pages = pages_in_order()
    absent = [page for page in pages if not (SITE / page).exists()]
    if absent:
        sys.exit(
            f"The PDF is made of the built site, and there is no {absent[0]} in _build/html: run `make book` first."
        )
    print(f"Putting {len(pages)} pages together.", flush=True)
    chapters = [chapter(page, pages) for page in pages]
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", settings["title"].lower())
    numbers, found = None, {}
    with browser() as opened:
        while numbers != found:  # until the contents are right
            numbers = found
            print("Printing" + (", with the numbers of the pages in the contents" if numbers else "") + ".", flush=True)
            (FOLDER / "book.html").write_text(book(settings, chapters, numbers), encoding="utf-8")
            printed = PdfWriter(clone_from=print_page(opened, FOLDER / "book.html"))
            found = page_numbers(printed)
    printed.add_metadata({"/Title": settings["title"], "/Author": settings["author"]})
    add_bookmarks(printed, chapters, numbers)
    printed.write(FOLDER / f"{name}.pdf")
    print(f"The book has {len(printed.pages)} pages: _build/pdf/{name}.pdf")


# -- one page of all -------------------------------------------------------------------------------------------------


def pages_in_order():
    """The pages of the book, as they are called in _build/html."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [f"{name}.html" for name in [toc["root"], *(entry["file"] for entry in toc["chapters"])]]


def chapter(page, pages):
    """The article of a page, fit to stand beside the others: every id begins with the name of its page."""
    soup = BeautifulSoup((SITE / page).read_text(encoding="utf-8"), "html.parser")
    article = soup.select_one("article")
    for part in article.select(SCREEN_ONLY):
        part.decompose()
    own = place(page)
    for tag in article.find_all(True):
        for name, value in tag.attrs.items():
            if name == "id" or name in REFERENCES or (tag.name, name) == ("input", "name"):
                tag[name] = f"{own}--{value}"
            elif isinstance(value, str) and "url(#" in value:
                tag[name] = value.replace("url(#", f"url(#{own}--")
        if tag.name == "details":
            tag["open"] = ""
        if tag.get("src") and not tag["src"].startswith("data:"):
            tag["src"] = from_here(urljoin(page, tag["src"]))
        if tag.get("href") and not tag["href"].startswith("data:"):
            lead(tag, page, pages)
    for heading in article.find_all(re.compile("^h[1-6]$")):
        keep_places(heading)
    article.name, article.attrs = "section", {"class": "chapter", "id": own}
    return article


def keep_places(heading):
    """Let what leads to a section lead to its heading: where a section begins may be on the page before."""
    section = heading.parent
    if section.name == "section" and "id" in section.attrs:
        heading["id"] = section.attrs.pop("id")
    for target in heading.find_previous_siblings("span", id=True):
        heading.insert_after(target.extract())


def place(page, fragment=""):
    """The id, in the long page, of a page and of what has an id there."""
    return Path(page).stem + (f"--{fragment}" if fragment else "")


def lead(link, page, pages):
    """Let a link lead to the same place in the long page. What leads to a page that is not in the book is no link."""
    target, fragment = urldefrag(urljoin(page, link["href"]))
    if target in pages:
        link["href"] = "#" + place(target, unquote(fragment))
    elif "://" not in target:
        link.unwrap()


def from_here(path):
    """Where a file of the site is, seen from the long page."""
    return Path(os.path.relpath(SITE / unquote(path), FOLDER)).as_posix()


def book(settings, chapters, numbers):
    """The long page; `numbers` are the pages of the entries of its contents, as far as they are known."""
    return BOOK.format(
        title=escape(settings["title"]),
        author=escape(settings["author"]),
        licence=LICENCE,
        sheet=from_here("_static/course.css"),
        figure_fonts=from_here("_static/fonts/fonts.css"),
        contents=contents(chapters, numbers),
        chapters="\n".join(map(str, chapters)),
    )


def contents(chapters, numbers):
    """The chapters and their sections, each with its page."""
    entries = []
    for part in chapters:
        sections = "".join(f"<li>{entry(h2, h2['id'], numbers)}</li>" for h2 in part.find_all("h2"))
        entries.append(f"<li>{entry(part.h1, part['id'], numbers)}<ul>{sections}</ul></li>")
    return f"<ul>{''.join(entries)}</ul>"


def entry(heading, target, numbers):
    title, number = heading.decode_contents(), numbers.get(target, "")
    return f'<a href="#{target}"><span>{title}</span><span class="page">{number}</span></a>'


# -- printing --------------------------------------------------------------------------------------------------------


@contextmanager
def browser():
    """Chromium or Chrome: `$CHROMIUM`, one on the PATH, or the one that `playwright install chromium` fetched."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        except Error:
            sys.exit(
                "Chromium or Chrome prints the PDF, and none was found: install one, run `playwright install "
                "chromium`, or set CHROMIUM to the path of one."
            )
        yield opened
        opened.close()


def print_page(opened, page):
    """The page as a PDF, with tags for those who listen."""
    tab = opened.new_page()
    tab.goto(page.as_uri())
    tab.evaluate("document.fonts.ready")
    printed = tab.pdf(prefer_css_page_size=True, print_background=True, tagged=True)
    tab.close()
    return BytesIO(printed)


def page_numbers(printed):
    """On which page what is linked to stands, by id."""
    return {
        name.lstrip("/"): printed.get_destination_page_number(destination) + 1
        for name, destination in printed.named_destinations.items()
    }


def add_bookmarks(printed, chapters, numbers):
    """Bookmarks of chapters and sections. Chromium's own double the words of headings that it lays out twice."""
    for part in chapters:
        parent = printed.add_outline_item(title=words(part.h1), page_number=numbers[part["id"]] - 1)
        for h2 in part.find_all("h2"):
            printed.add_outline_item(title=words(h2), page_number=numbers[h2["id"]] - 1, parent=parent)


def words(heading):
    """A heading as plain text: of a formula, what is to be seen."""
    parts = (text for text in heading.find_all(string=True) if not text.find_parent(class_="katex-mathml"))
    return " ".join("".join(parts).split())


if __name__ == "__main__":
    main()
