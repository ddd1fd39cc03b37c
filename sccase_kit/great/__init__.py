"""GREAT (McLean et al. 2010): regulatory domains, both tests, and the files of the web tool."""

from .domains import regulatory_domains
from .result import GreatResult
from .run import great

__all__ = [
    "GreatResult",
    "great",
    "regulatory_domains",
]
