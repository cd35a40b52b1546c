"""The type of the text: Source Serif 4, served with the site.

The font comes from a Python package, so that a build fetches nothing; `course_site` cuts it to the characters of the
pages. Its licence keeps the name "Source" for what is unchanged: here it is called "Course Serif".
"""

import contextlib
import hashlib
import itertools
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

import fontpkg
from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

CACHE = Path(__file__).parent.parent / "build"
# Style and weight of each file, as CSS has them. Bold italics are rare: the browser slants the bold.
FACES = {"regular": ("normal", 400), "italic": ("italic", 400), "bold": ("normal", 650)}
OPTICAL_SIZE = 14  # points: that of text on a screen
# What nearly all text is made of, and what else a page may have: a browser asks for the second file when it meets some.
PARTS = {
    "": "U+20-7E, U+A0, U+B0, U+B7, U+D7, U+2013, U+2014, U+2018-201D, U+2026, U+2192, U+2202, U+2212",
    "-more": "U+A1-AF, U+B1-B6, U+B8-D6, U+D8-17F, U+370-3FF, U+2000-2012, U+2015-2017, U+201E-2025, U+2027-2191, "
    "U+2193-2201, U+2203-2211, U+2213-22FF",
}
FEATURES = ["ccmp", "locl", "kern", "liga", "mark", "mkmk"]  # small capitals and other figures are half of a font
LEGAL = (0, 7, 13, 14)  # entries of a font's table of names that stay as they are
FACE = (
    '@font-face {{ font-family: "Course Serif"; font-style: {style}; font-weight: {weight}; font-display: swap; '
    'src: url({name}.woff2) format("woff2"); unicode-range: {characters}; }}\n'
)


def text_fonts():
    """A folder with the faces as WOFF2 and text.css, which declares them; made once by each state of this file."""
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    folder = CACHE / f"text-{version('fontpkg-source-serif-4')}-{recipe}"
    if folder.exists():
        return folder
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as unfinished:
        made = Path(unfinished) / "text"
        made.mkdir()
        rules = []
        for (face, (style, weight)), (part, characters) in itertools.product(FACES.items(), PARTS.items()):
            name = face + part
            make_face(style, weight, characters).save(made / f"{name}.woff2")
            rules.append(FACE.format(name=name, style=style, weight=weight, characters=characters))
        (made / "text.css").write_text("".join(rules), encoding="utf-8")
        with contextlib.suppress(OSError):  # another build was quicker
            made.rename(folder)
    return folder


def make_face(style, weight, characters):
    font = TTFont(fontpkg.path("Source Serif 4", style=style), recalcTimestamp=False)  # the same font every day
    cutter = subset.Subsetter(subset.Options(layout_features=FEATURES, hinting=False, name_IDs=["*"]))
    cutter.populate(unicodes=subset.parse_unicodes(characters))
    cutter.subset(font)
    font = instancer.instantiateVariableFont(font, {"wght": weight, "opsz": OPTICAL_SIZE})
    for record in font["name"].names:
        if record.nameID not in LEGAL:
            record.string = str(record).replace("Source", "Course")
    font.flavor = "woff2"
    return font


def add_fonts(app):
    if app.builder.format == "html":
        static = Path(app.doctreedir) / "text"  # what lies in a static folder lies in _static: the fonts get their own
        shutil.rmtree(static, ignore_errors=True)
        shutil.copytree(text_fonts(), static / "text")
        app.config.html_static_path.append(str(static))
        app.add_css_file("text/text.css", priority=900)


def setup(app):
    app.connect("builder-inited", add_fonts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
