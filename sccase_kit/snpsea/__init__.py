"""SNPsea 1.0.3 (Slowikowski et al. 2014): the method, its files and the program."""

from .run import SnpseaResult, prepare_snpsea, snpsea
from .tables import GeneMatrix, read_gct

__all__ = [
    "GeneMatrix",
    "SnpseaResult",
    "prepare_snpsea",
    "read_gct",
    "snpsea",
]
