"""Figures for pages of other parts."""

from ._figures import draw as draw
