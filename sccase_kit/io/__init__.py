"""Read counts; write enhanced matrices and the inputs of other tools."""

from ._great import write_great
from ._ldsc import write_bed, write_ldsc_annot
from ._read import convert, read
from ._snpsea import run_snpsea, write_snpsea
from ._tenx import FormatError
from ._write_enhanced import write_enhanced

__all__ = [
    "FormatError",
    "convert",
    "read",
    "run_snpsea",
    "write_bed",
    "write_enhanced",
    "write_great",
    "write_ldsc_annot",
    "write_snpsea",
]
