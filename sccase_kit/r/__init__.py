"""R: the R packages as engines, conversions, notebooks, and what is installed.

Nothing here starts R before it is used; everything else in the package works without R.
"""

from ._better_chromvar import better_chromvar
from ._child import run
from ._convert import converter, from_r
from ._edger import edger
from ._engines import chromvar, match_motifs, scabc
from ._errors import RError
from ._experiment import to_r
from ._ipython import load_ipython_extension
from ._limma import limma
from ._rgreat import rgreat
from ._session import evaluate
from ._status import available, status, status_table
from ._write import write, write_archr
from .files import read

__all__ = [
    "RError",
    "available",
    "better_chromvar",
    "chromvar",
    "converter",
    "edger",
    "evaluate",
    "from_r",
    "limma",
    "load_ipython_extension",
    "match_motifs",
    "read",
    "rgreat",
    "run",
    "scabc",
    "status",
    "status_table",
    "to_r",
    "write",
    "write_archr",
]
