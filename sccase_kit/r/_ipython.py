"""%%R cells with this package's conversions."""

from __future__ import annotations

from typing import Any

from ._convert import converter


def load_ipython_extension(ipython: Any) -> None:
    """Register ``%R`` and ``%%R`` in a notebook with the conversions of this package: ``%load_ext sccase_kit.r``.

    AnnData, sparse matrices, data frames and arrays then pass in with ``-i`` and out with ``-o``::

        %load_ext sccase_kit.r
        %%R -i adata -o depth
        depth <- Matrix::colSums(SummarizedExperiment::assay(adata))

    Parameters
    ----------
    ipython
        The running IPython, which passes itself.

    Raises
    ------
    ImportError
        If R or rpy2 is missing or they do not fit together.
    """
    rules = converter()
    from rpy2.ipython import rmagic

    ipython.register_magics(rmagic.RMagics(ipython, converter=rules))
