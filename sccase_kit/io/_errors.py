"""The error of files that are not what they should be."""

from __future__ import annotations


class FormatError(ValueError):
    """A file does not have the format it should have; the message names the file and, for text, the line."""
