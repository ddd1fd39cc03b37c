"""Motif matching, chromVAR deviations and scABC p-values on arrays."""

from ._scabc import ScabcResult, scabc_pvalues

__all__ = ["ScabcResult", "scabc_pvalues"]
