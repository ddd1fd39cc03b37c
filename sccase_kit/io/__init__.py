"""Read counts; write enhanced matrices and the inputs of other tools."""

from ._write_enhanced import write_enhanced

__all__ = ["write_enhanced"]
