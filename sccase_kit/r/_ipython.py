"""%%R cells with this package's conversions, errors, output and Ctrl-C."""

from __future__ import annotations

from typing import Any

from .._arguments import checked
from ._convert import converter
from ._session import exclusive, unwrap


@checked()
def load_ipython_extension(ipython: Any) -> None:
    """Register ``%R`` and ``%%R`` in a notebook with the conversions of this package: ``%load_ext sccase_kit.r``.

    AnnData, sparse matrices, data frames and arrays then pass in with ``-i`` and out with ``-o``::

        %load_ext sccase_kit.r
        %%R -i adata -o depth
        depth <- Matrix::colSums(SummarizedExperiment::assay(adata))

    What R prints appears as it comes; errors are :class:`~sccase_kit.r.RError` with R's traceback; Ctrl-C (the stop
    button) ends the cell.

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

    class Magics(rmagic.RMagics):
        """rpy2's magics, run through this package's session."""

        def eval(self, code: str) -> tuple[str, Any, bool]:
            """Evaluate code in R's global environment; return no text (it is shown already), value, visibility."""
            with exclusive(show=True) as here:
                text = here.rinterface.StrSexpVector([code])
                value, visible = unwrap(here.helper("evaluate_visibly")(text))
                return "", value, bool(visible[0])

    Magics.__name__ = "RMagics"  # IPython lists magics by the name of their class
    ipython.register_magics(Magics(ipython, converter=rules))
