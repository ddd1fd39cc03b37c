"""Parts of self-contained HTML pages: text, figures, tables, and the page around them, which loads nothing."""

from .blocks import Block, Card, Cards, Code, Figure, Grid, Lines, Text, Tiles
from .page import Section, page
from .table import Table

__all__ = ["Block", "Card", "Cards", "Code", "Figure", "Grid", "Lines", "Section", "Table", "Text", "Tiles", "page"]
