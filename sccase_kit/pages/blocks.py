"""What a section of a page shows: text, code, numbers, cards, figures; every text is escaped here."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Protocol

from .values import shown


class Block(Protocol):
    """Something that a section shows; one that needs scripts names their files in `scripts`."""

    def html(self) -> str:
        """Return the block as HTML with every text escaped."""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; ``kind`` is "plain", "note" (stands out), "soft", "lead" (large), or "heading" in the section."""

    text: str
    kind: str = "plain"

    def html(self) -> str:
        """Return the paragraph."""
        if self.kind == "heading":
            return f"<h3>{escape(self.text)}</h3>"
        css = f' class="{self.kind}"' if self.kind in {"note", "soft", "lead"} else ""
        return f"<p{css}>{escape(self.text)}</p>"


@dataclass(frozen=True, slots=True)
class Lines:
    """A list of lines, each with a word in bold before it."""

    lines: Sequence[tuple[str, str]]

    def html(self) -> str:
        """Return the list."""
        return '<dl class="lines">' + "".join(_line(*line) for line in self.lines) + "</dl>"


def _line(word: str, text: str) -> str:
    return f"<div><dt>{escape(word)}</dt><dd>{escape(text)}</dd></div>"


@dataclass(frozen=True, slots=True)
class Details:
    """Lines that the reader opens, under a title; on paper they are open."""

    title: str
    lines: Sequence[tuple[str, str]]

    def html(self) -> str:
        """Return the lines, closed."""
        return f"<details><summary>{escape(self.title)}</summary>{Lines(self.lines).html()}</details>"


@dataclass(frozen=True, slots=True)
class Code:
    """Code to copy."""

    text: str

    def html(self) -> str:
        """Return the code, spaces kept."""
        return f"<pre><code>{escape(self.text)}</code></pre>"


@dataclass(frozen=True, slots=True)
class Figure:
    """A PNG image with what it shows.

    Attributes
    ----------
    png
        The file's bytes.
    caption
        What is seen; also the text for those who do not see it.
    size
        Width and height in CSS pixels.
    """

    png: bytes
    caption: str
    size: tuple[int, int]

    def html(self) -> str:
        """Return the figure with its image inside."""
        data = base64.b64encode(self.png).decode("ascii")
        width, height = self.size
        wide = ' class="wide"' if width > 1.7 * height else ""
        return (
            f'<figure><div{wide}><img src="data:image/png;base64,{data}" width="{width}" height="{height}" '
            f'alt="{escape(self.caption)}"></div><figcaption>{escape(self.caption)}</figcaption></figure>'
        )


@dataclass(frozen=True, slots=True)
class Tiles:
    """Numbers at a glance."""

    values: Mapping[str, Any]

    def html(self) -> str:
        """Return the tiles as a list of terms."""
        return '<dl class="tiles">' + "".join(_line(str(k), shown(v)) for k, v in self.values.items()) + "</dl>"


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of one thing, such as a group of cells.

    Attributes
    ----------
    title, aside
        Its name, and a few words after it.
    color
        Its colour (#rrggbb), or "".
    head
        What it is, in a few words.
    lines
        Word and text of each line.
    note
        What to doubt, or "".
    links
        Word, anchor of a block of the page, and what the block is to show; where there is no such block, the page's
        script takes the link out.
    anchor
        Its place in the page, or "".
    folded, folded_title
        Further lines that a click on the title opens.
    """

    title: str
    aside: str = ""
    color: str = ""
    head: str = ""
    lines: Sequence[tuple[str, str]] = field(default_factory=list)
    note: str = ""
    links: Sequence[tuple[str, str, str]] = field(default_factory=list)
    anchor: str = ""
    folded: Sequence[tuple[str, str]] = field(default_factory=list)
    folded_title: str = "more"

    def html(self) -> str:
        """Return the card."""
        chip = _chip(self.color)
        head = f'<p class="what">{escape(self.head)}</p>' if self.head else ""
        lines = Lines(self.lines).html() if self.lines else ""
        note = f'<p class="doubt">{escape(self.note)}</p>' if self.note else ""
        aside = f' <span class="soft">{escape(self.aside)}</span>' if self.aside else ""
        links = "".join(_link(*link) for link in self.links)
        links = f'<p class="links">{links}</p>' if links else ""
        anchor = f' id="{escape(self.anchor)}"' if self.anchor else ""
        title = f"<h4>{chip}{escape(self.title)}{aside}</h4>"
        more = Lines(self.folded).html() if self.folded else ""
        more = f"<details><summary>{escape(self.folded_title)}</summary>{more}</details>" if more else ""
        return f'<article class="card"{anchor}>{title}{head}{lines}{note}{more}{links}</article>'


def _chip(color: str) -> str:
    """Return a small square of a colour (#rrggbb), nothing for ""."""
    if not color:
        return ""
    return (
        '<svg class="chip" width="12" height="12" aria-hidden="true"><rect width="12" height="12" rx="3" '
        f'fill="{escape(color)}"/></svg> '
    )


def _link(word: str, anchor: str, shows: str) -> str:
    return f'<a href="#{escape(anchor)}" data-shows="{escape(shows)}">{escape(word)}</a>'


@dataclass(frozen=True, slots=True)
class Cards:
    """Cards side by side, as many as the width holds."""

    cards: Sequence[Card]

    def html(self) -> str:
        """Return the cards."""
        return '<div class="cards">' + "".join(card.html() for card in self.cards) + "</div>"


@dataclass(frozen=True, slots=True)
class Contents:
    """Lines of links to cards: what they have in common, then the cards, each with its colour and a text."""

    lines: Sequence[tuple[str, Sequence[tuple[str, Card]]]]

    def html(self) -> str:
        """Return the list."""
        return '<ul class="contents">' + "".join(self._line(*line) for line in self.lines) + "</ul>"

    def _line(self, title: str, cards: Sequence[tuple[str, Card]]) -> str:
        links = "".join(
            f'<a href="#{escape(card.anchor)}" title="{escape(card.head)}">{_chip(card.color)}{escape(text)}</a>'
            for text, card in cards
        )
        word = f'<span class="of">{escape(title)}</span>' if title else ""
        return f"<li>{word}{links}</li>"


@dataclass(frozen=True, slots=True)
class Grid:
    """Blocks side by side where the width allows."""

    blocks: Sequence[Block]

    @property
    def scripts(self) -> tuple[str, ...]:
        """Scripts of the blocks."""
        return scripts_of(self.blocks)

    def html(self) -> str:
        """Return the blocks in a grid."""
        return '<div class="grid">' + "".join(f"<div>{block.html()}</div>" for block in self.blocks) + "</div>"


def scripts_of(blocks: Sequence[Block]) -> tuple[str, ...]:
    """Return the names of the scripts that blocks need, each once."""
    return tuple(dict.fromkeys(name for block in blocks for name in getattr(block, "scripts", ())))
