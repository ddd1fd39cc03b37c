"""What a hostile call may do: give a sound result, or raise an error of the package that says what is wrong."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from matplotlib.axes import Axes
from matplotlib.text import Text
from others import ANNDATA

OURS = (LookupError, TypeError, ValueError, FileNotFoundError)


def told(err: Exception) -> str:
    """Return the message of an error; it must be raised by the package and say something."""
    message, place = str(err), err.__traceback__
    while place.tb_next is not None:
        place = place.tb_next
    assert "sccase_kit" in place.tb_frame.f_code.co_filename, f"{type(err).__name__} of a library: {message}"
    assert re.search(r"[a-z]{2}.* .*[a-z]{2}", message), f"{type(err).__name__} says too little: {message!r}"
    assert len(message) < 3000, "a message as long as the data"
    return message


def check_table(value: Any) -> None:
    """Raise AssertionError unless coordinates are whole, ordered and on the axis, and p-values are in [0, 1]."""
    if not isinstance(value, pd.DataFrame):
        return
    for column in {"start", "end", "tss", "pos"} & set(value.columns):
        assert value[column].dtype == np.int64
        assert value[column].between(0, 2**40).all()
    if {"start", "end"} <= set(value.columns):
        assert (value["start"] < value["end"]).all()
    for column in value:
        if re.search(r"[pP]_?[vV]alue$|Adjp", str(column)) and "Log10" not in column:
            assert value[column].between(0, 1).all()


def _attempt_table(call: Callable[[Any], Any], given: Any) -> Any:
    before = given.copy() if isinstance(given, pd.DataFrame) else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=ANNDATA)
        warnings.filterwarnings("ignore", category=UserWarning)  # ours: what was left out, few SNPs
        try:
            result = call(given)
        except OURS as err:
            result = told(err)
    check_table(result)
    if before is not None:
        pd.testing.assert_frame_equal(given, before)
    return result


def keys_of(adata: AnnData) -> dict[str, list[str]]:
    return {axis: sorted(map(str, getattr(adata, axis))) for axis in ("obs", "var", "obsm", "varm", "uns", "layers")}


def _attempt_plot(plot: Callable[[], Any], adata: Any = None, *, inside: bool = False) -> str | list[Axes]:
    plt.close("all")
    before = keys_of(adata) if isinstance(adata, AnnData) else {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=ANNDATA)
        warnings.filterwarnings("ignore", category=UserWarning, message=r"Glyph .* missing|.* closed in every cell")
        warnings.filterwarnings("ignore", message=r"'\w+' .*deprecated")  # matplotlib 3.8 on today's pyparsing
        try:
            result = plot()
        except OURS as err:
            message = told(err)
            assert not plt.get_fignums(), "a figure was left open"
            assert not before or keys_of(adata) == before, "changed, although it failed"
            return message
        axes = [result] if isinstance(result, Axes) else list(np.ravel(np.asarray(result, dtype=object)))
        assert axes
        assert all(isinstance(ax, Axes) for ax in axes)
        axes[0].figure.canvas.draw()
    if inside:
        check_inside(axes[0].figure)
    if before:
        after = keys_of(adata)
        after["uns"] = [key for key in after["uns"] if key in before["uns"] or not key.endswith("_colors")]
        assert after == before
    return axes


def check_inside(figure: Any) -> None:
    """Raise AssertionError where a visible text reaches more than two pixels beyond the figure."""
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and text.axes is not None and text.axes.get_visible():
            box = text.get_window_extent()
            beyond = max(-box.x0, -box.y0, box.x1 - figure.bbox.width, box.y1 - figure.bbox.height)
            assert beyond < 2, f"{text.get_text()!r} leaves the figure"


@pytest.fixture(scope="session")
def attempt_table() -> Callable[..., Any]:
    """Return a function that calls with a table and returns a sound result or the message of an error of ours."""
    return _attempt_table


@pytest.fixture(scope="session")
def attempt_plot() -> Callable[..., Any]:
    """Return a function that plots and returns the Axes of a figure that was drawn, or the message of an error."""
    return _attempt_plot
