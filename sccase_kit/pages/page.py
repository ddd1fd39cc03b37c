"""One self-contained HTML document from sections of blocks, which loads nothing and runs only its own script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from importlib import resources

from .blocks import Block, scripts_of
from .table import Table

_FIRST = "page.js"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with blocks, and its word in the navigation (`short`, else the heading)."""

    title: str
    blocks: Sequence[Block] = field(default_factory=list)
    short: str = ""


def asset(name: str) -> str:
    """Return the text of a file of this package's assets."""
    return resources.files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def document(title: str, body: str, *, scripts: Sequence[str] = ()) -> str:
    """Return an HTML document around `body`, with the style and the scripts of this package inside.

    The content policy in its head allows only the page's own script and style (by their digests) and inline images, so
    that no text from the data could run even if it were not escaped, and nothing can be fetched or sent.

    Parameters
    ----------
    title
        Of the window.
    body
        HTML with every text escaped.
    scripts
        Names of assets that the body needs besides the first.

    Returns
    -------
    The document.
    """
    style = asset("page.css")
    script = "\n".join(asset(name) for name in dict.fromkeys([_FIRST, *scripts]))
    policy = f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    policy += "; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{style}</style></head>\n<body>{body}"
        f"\n<script>{script}</script></body></html>\n"
    )


def page(title: str, subtitle: str, sections: Sequence[Section], *, footer: str = "") -> str:
    """Return a whole HTML document: title, navigation, sections; see :func:`document` for what it may load.

    Parameters
    ----------
    title, subtitle
        First lines.
    sections
        What follows, in order.
    footer
        Last line.

    Returns
    -------
    The document.
    """
    links = "".join(f'<li><a href="#s{i}">{escape(s.short or s.title)}</a></li>' for i, s in enumerate(sections))
    main = "".join(
        f'<section id="s{i}"><h2>{escape(s.title)}</h2>{"".join(b.html() for b in s.blocks)}</section>'
        for i, s in enumerate(sections)
    )
    body = (
        f'<header><h1>{escape(title)}</h1><p class="soft">{escape(subtitle)}</p></header>'
        f'<nav aria-label="sections"><ul>{links}</ul>'
        '<button type="button" class="theme" aria-label="dark or light" hidden>◐</button></nav>\n'
        f"<main>{main}</main>\n<footer>{escape(footer)}</footer>"
    )
    return document(title, body, scripts=scripts_of([block for s in sections for block in s.blocks]))


def shortened(section: Section, max_rows: int) -> Section:
    """Return a section whose tables hold at most so many rows."""
    blocks = [replace(b, max_rows=min(b.max_rows, max_rows)) if isinstance(b, Table) else b for b in section.blocks]
    return Section(section.title, blocks, section.short)
