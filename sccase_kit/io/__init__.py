"""Read counts; write enhanced matrices and the inputs of other tools."""

from ..great.files import write_great
from ..ldsc.files import write_bed, write_ldsc_annot
from ..snpsea.files import write_snpsea
from ..snpsea.program import run_snpsea
from ._convert import convert
from ._errors import FormatError
from ._fragments import read_fragments
from ._write_10x import write_10x
from ._write_enhanced import write_enhanced
from ._write_tracks import write_tracks
from .reading import read

__all__ = [
    "FormatError",
    "convert",
    "read",
    "read_fragments",
    "run_snpsea",
    "write_10x",
    "write_bed",
    "write_enhanced",
    "write_great",
    "write_ldsc_annot",
    "write_snpsea",
    "write_tracks",
]
