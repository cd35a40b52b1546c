"""The fonts of formulas, figures and icons, cut to the characters of the pages."""

import re
import string
from html import unescape
from pathlib import Path

import matplotlib
from fontTools import subset

from .pages import PAUSE

# Family, style and file of each font that matplotlib measures text with (nnlib/course.mplstyle).
FIGURE_FONTS = [
    ("DejaVu Sans", "normal", "DejaVuSans.ttf"),
    ("DejaVu Sans", "italic", "DejaVuSans-Oblique.ttf"),
    ("STIXGeneral", "normal", "STIXGeneral.ttf"),
    ("STIXGeneral", "italic", "STIXGeneralItalic.ttf"),
]
# What the beginning of a page has, and the font that it then waits for.
WANTED = [
    ("", "text/regular.woff2"),
    ("", "text/bold.woff2"),
    ("", "vendor/fontawesome/webfonts/fa-solid-900.woff2"),
    ("<em", "text/italic.woff2"),
    ('class="(?:katex|course-map)"', "katex/fonts/KaTeX_Main-Regular.woff2"),
    ('mathnormal|class="course-map"', "katex/fonts/KaTeX_Math-Italic.woff2"),
    ("mathbf", "katex/fonts/KaTeX_Main-Bold.woff2"),
]
# KaTeX draws the characters of these classes with a font of their own, and those of all other atoms with the main one.
STYLED = {
    "mathnormal": "KaTeX_Math-Italic",
    "mathbf": "KaTeX_Main-Bold",
    "textbf": "KaTeX_Main-Bold",
    "boldsymbol": "KaTeX_Math-BoldItalic",
    "mathsf": "KaTeX_SansSerif-Regular",
    "mathbb": "KaTeX_AMS-Regular",
}
ATOMS = {"mord", "mbin", "mrel", "mopen", "mclose", "mpunct", "mop", "minner", "vlist-s"}
MAIN = "KaTeX_Main-Regular"
ICONS = ["fa-solid-900", "fa-regular-400", "fa-brands-400"]
FOLDED = re.compile(r"<details.*?</details>", re.S)
CLASSES_AND_TEXT = re.compile(r'<span class="([^"]*)"[^>]*>([^<]+)')
ESCAPED = re.compile(r"\\u?([0-9a-fA-F]{4})")  # a character in a script, or in a rule that puts an icon somewhere


def figure_fonts(target):
    """Put the figures' fonts into a folder, and fonts.css, which declares them."""
    target.mkdir(parents=True)
    rules = []
    for family, style, file in FIGURE_FONTS:
        font = target / Path(file).with_suffix(".woff2").name
        # What is measured stays as it is: the browser must measure what matplotlib measured.
        options = ("--layout-features=kern,mark,mkmk", "--no-hinting", "--drop-tables+=FFTM")
        cut(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / file, font, "*", *options)
        rules.append(
            f'@font-face {{ font-family: "{family}"; font-style: {style}; font-display: swap; '
            f'src: url({font.name}) format("woff2"); }}\n'
        )
    (target / "fonts.css").write_text("".join(rules), encoding="utf-8")


def choose_fonts(context):
    """Name the fonts that a page asks for before its style sheet does (templates/layout.html)."""
    beginning = FOLDED.sub("", context.get("body", "").partition(PAUSE)[0])
    context["fonts"] = [font for sign, font in WANTED if re.search(sign, beginning)]


def characters(texts):
    """All characters that texts have or name, and those that numbers and words in a live figure are made of."""
    found = set(string.printable)
    for text in texts:
        found |= set(unescape(text)) | {chr(int(code, 16)) for code in ESCAPED.findall(text)}
    return found


def styled_characters(pages):
    """For each font of formulas the characters that they draw with it."""
    found = {font: set() for font in [MAIN, *STYLED.values()]}
    for classes, text in {pair for page in pages for pair in CLASSES_AND_TEXT.findall(page)}:
        names = set(classes.split())
        fonts = [STYLED[name] for name in STYLED.keys() & names]
        if not fonts and ATOMS & names:
            fonts = [MAIN]
        for font in fonts:
            found[font] |= set(unescape(text))
    return found


def cut_fonts(folder, style, pages):
    """Cut every font below a folder to the characters that pages and their style sheet need of it."""
    found, needed = characters([style, *pages]), styled_characters(pages)
    needed |= dict.fromkeys(ICONS, characters([style]) - set(string.printable))
    for font in sorted(folder.rglob("*.woff2")):
        codes = ",".join(f"U+{ord(character):04X}" for character in sorted(needed.get(font.stem, found)))
        cut(font, font, codes, "--layout-features=*", "--no-hinting")


def cut(source, target, codes, *options):
    subset.main([str(source), f"--unicodes={codes}", "--flavor=woff2", f"--output-file={target}", *options])
