"""The model at the level of arrays: operator, starts, solvers, thin factors."""

from ..matrix.operator import ScaledOperator
from .factors import Ranges, block, compute_ranges, minmax_scale
from .preparation import Prepared, prepare
from .published import PublishedFit, fit_published, published_nmf
from .runner import Enhancement, ModelOptions, fit_sccase
from .thin import ThinFit, Weights, fit_thin

__all__ = [
    "Enhancement",
    "ModelOptions",
    "Prepared",
    "PublishedFit",
    "Ranges",
    "ScaledOperator",
    "ThinFit",
    "Weights",
    "block",
    "compute_ranges",
    "fit_published",
    "fit_sccase",
    "fit_thin",
    "minmax_scale",
    "prepare",
    "published_nmf",
]
