"""The model at the level of arrays: methods and the table of them, operator, starts, solvers, thin factors."""

from ..matrix.operator import ScaledOperator
from .factors import Ranges, block, compute_ranges, minmax_scale
from .method import METHODS, Method, Option, option, register

from .methods.robust import Robust, fit_consensus  # isort: skip
from .methods.sccase import Sccase, fit_sccase  # isort: skip
from .methods.published import Published  # isort: skip
from .methods.paper import Paper  # isort: skip
from .methods.knn import Knn  # isort: skip
from .methods.tfidf import Tfidf  # isort: skip
from .paper import PaperFit, PaperModel, fit_paper
from .preparation import Prepared, prepare
from .published import PublishedFit, fit_published, published_nmf
from .result import Enhancement
from .run import Inputs, Run, fit
from .thin import ThinFit, Weights, fit_thin

#: The options of scCASE under their former name.
ModelOptions = Sccase

__all__ = [  # noqa: RUF022
    "Enhancement",
    "Inputs",
    "Knn",
    "METHODS",
    "Method",
    "ModelOptions",
    "Option",
    "Paper",
    "PaperFit",
    "PaperModel",
    "Prepared",
    "Published",
    "PublishedFit",
    "Ranges",
    "Robust",
    "Run",
    "ScaledOperator",
    "Sccase",
    "Tfidf",
    "ThinFit",
    "Weights",
    "block",
    "compute_ranges",
    "fit",
    "fit_consensus",
    "fit_paper",
    "fit_published",
    "fit_sccase",
    "fit_thin",
    "minmax_scale",
    "option",
    "prepare",
    "published_nmf",
    "register",
]
