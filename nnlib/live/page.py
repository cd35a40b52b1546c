"""A live figure as HTML for a static page: the still, native controls, and the program that web/page.mjs starts."""

import json
from html import escape


def html(name, alt, svgs, program):
    """The whole figure. Without JavaScript only the still shows; web/live.css hides the controls there."""
    panels = "".join(f'<div class="live-panel">{svg}</div>' for svg in svgs)
    picture = f'<div class="live-picture" role="img" aria-label="{escape(alt)}">{panels}</div>'
    if not program["controls"]:
        return f'<div class="live">{picture}</div>'
    controls = "".join(_control(name, control) for control in program["controls"])
    called = name.removeprefix("live-").replace("-", " ")  # no two of the page's landmarks may have one name
    data = json.dumps(program, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<div class="live" id="{name}">{picture}'
        f'<form class="live-controls" autocomplete="off" aria-label="Controls of the figure {called}">{controls}'
        f'<button type="reset">Reset</button></form>'
        f'<p class="live-status" role="status"></p>'
        f'<noscript><p class="live-note">With JavaScript switched on, this figure moves.</p></noscript>'
        f'<script type="application/json">{data}</script></div>'
    )


def _control(figure, control):
    name, label, value = f"{figure}-{control['name']}", escape(control["label"]), control["value"]
    if control["kind"] == "slider":
        shown = f"{value:.{control['decimals']}f}".replace("-", "\N{MINUS SIGN}")
        return (
            f'<div class="live-control"><label for="{name}">{label}</label><input type="range" id="{name}" '
            f'min="{control["low"]}" max="{control["high"]}" step="{control["step"]}" value="{value}" '
            f'aria-valuetext="{shown}"><output for="{name}" aria-live="off">{shown}</output></div>'
        )
    if control["kind"] == "choice":
        options = "".join(
            f'<option value="{i}"{" selected" * (i == value)}>{escape(option)}</option>'
            for i, option in enumerate(control["options"])
        )
        return (
            f'<div class="live-control"><label for="{name}">{label}</label><select id="{name}">{options}</select></div>'
        )
    return (
        f'<div class="live-control"><input type="checkbox" id="{name}"{" checked" * value}>'
        f'<label for="{name}">{label}</label></div>'
    )
