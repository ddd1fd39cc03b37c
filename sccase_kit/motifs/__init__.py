"""chromVAR deviations and scABC p-values on arrays."""

from ._background import sample_background_peaks
from ._deviations import Deviations, deviations
from ._scabc import ScabcResult, scabc_pvalues

__all__ = ["Deviations", "ScabcResult", "deviations", "sample_background_peaks", "scabc_pvalues"]
