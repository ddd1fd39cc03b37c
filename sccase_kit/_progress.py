"""The one progress bar of the package."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from typing import Any

from ._settings import settings


def progress(iterable: Iterable[Any] | None = None, *, desc: str, total: int | None = None, **kwargs: Any):
    """Return a tqdm bar over `iterable` (or a manual bar with `total`) that honours `settings.progress`."""
    if importlib.util.find_spec("ipywidgets") is None:  # tqdm.auto would warn in every notebook
        from tqdm import tqdm
    else:
        from tqdm.auto import tqdm

    show = settings.progress
    if show == "auto":
        show = sys.stderr.isatty() or "ipykernel" in sys.modules
    return tqdm(iterable, desc=desc, total=total, disable=not show, **kwargs)
