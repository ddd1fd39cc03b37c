"""The model at the level of arrays: operator, starts, solvers, thin factors."""

from ._factors import Ranges, block, compute_ranges, minmax_scale
from ._operator import ScaledOperator
from ._prepare import Prepared, prepare
from ._published import PublishedFit, fit_published, published_nmf
from ._runner import Enhancement, ModelOptions, fit_sccase
from ._thin import ThinFit, Weights, fit_thin

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
