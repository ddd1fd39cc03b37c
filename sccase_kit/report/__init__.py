"""One self-contained HTML page of an enhanced study, and tracks to look through in a notebook."""

from ._browse import Browser, browse
from ._overview import Overview, overview
from ._write import write_report

__all__ = ["Browser", "Overview", "browse", "overview", "write_report"]
