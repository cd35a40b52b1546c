"""What makes a page light: what nobody would see is left out, and what is not wanted at first has a file of its own."""

import base64
import html
import io
import json
import re
from pathlib import Path

import numpy as np
from PIL import Image

DATA = re.compile(r'(<div class="live" id="([^"]+)">.*?<script type="application/json">)(.*?)(</script>)', re.S)
# The live figures of a page, which read their programs from the page, find them there once this has run.
FILL = """for (const [name, program] of Object.entries({programs}))
  document.getElementById(name).querySelector("script").textContent = JSON.stringify(program);
"""
PICTURE = re.compile(r"data:image/png;base64,([^\"]+)")
# What Pygments marks and a reader tells apart without a colour: names, operators, brackets, spaces.
PLAIN = re.compile(r'<span class="(?:n|nn|o|p|w)">([^<]*)</span>')
# The TeX of a formula, which KaTeX keeps in MathML and no program that reads pages aloud says.
SOURCE = re.compile(r'<semantics>(.*?)<annotation encoding="application/x-tex">.*?</annotation>\s*</semantics>', re.S)
LOGO = re.compile(r'src="[^"]*_static/(logo-\w+\.svg)"')


def move_data(app, pagename, body):
    """A page without the programs of its live figures, and the script that holds them, or None where there are none."""
    programs = {name: json.loads(data) for _, name, data, _ in DATA.findall(body)}
    if not programs:
        return body, None
    script = f"figures/{Path(pagename).name}.js"
    target = Path(app.outdir) / "_static" / script
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(programs, ensure_ascii=False, separators=(",", ":"))
    target.write_text(FILL.replace("{programs}", text), encoding="utf-8")
    return DATA.sub(r"\1\4", body), script


def use_palettes(body):
    """The pictures within figures with a palette, where they have no more colours than one holds: nothing is lost."""
    return PICTURE.sub(lambda found: f"data:image/png;base64,{with_palette(found[1])}", body)


def with_palette(encoded):
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA"))
    colours, numbers = np.unique(pixels.reshape(-1, 4), axis=0, return_inverse=True)
    if len(colours) > 256:
        return encoded
    picture = Image.fromarray(numbers.reshape(pixels.shape[:2]).astype(np.uint8))
    picture.putpalette(colours.tobytes(), "RGBA")
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return min(encoded, base64.b64encode(written.getvalue()).decode(), key=len)


def lighten(page, static):
    """A finished page without the marks of plain code and the TeX of its formulas, and with its logo in it."""
    page = SOURCE.sub(r"\1", PLAIN.sub(r"\1", page))
    return LOGO.sub(lambda found: f'src="{inlined(static / found[1])}"', page)


def inlined(picture):
    text = re.sub(r"\s+", " ", picture.read_text(encoding="utf-8").strip())
    return "data:image/svg+xml," + html.escape(text.replace("%", "%25").replace("#", "%23").replace('"', "'"))
