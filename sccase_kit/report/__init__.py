"""One self-contained HTML page of an enhanced study."""

from ._write import write_report

__all__ = ["write_report"]
