"""Read counts; write enhanced matrices and the inputs of other tools."""

from ..great.files import write_great
from ..ldsc.files import write_bed, write_ldsc_annot
from ..snpsea.files import write_snpsea
from ..snpsea.program import run_snpsea
from ._convert import convert
from ._errors import FormatError
from ._fragments import read_fragments
from ._read import read
from ._write_enhanced import write_enhanced
from ._write_tracks import write_tracks

__all__ = [
    "FormatError",
    "convert",
    "read",
    "read_fragments",
    "run_snpsea",
    "write_bed",
    "write_enhanced",
    "write_great",
    "write_ldsc_annot",
    "write_snpsea",
    "write_tracks",
]
