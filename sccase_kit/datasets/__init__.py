"""Simulated studies with planted truth, and the data sets of the paper."""

from ._gene_sets import build_gene_sets
from ._load import DataNotFoundError, available, fetch, load
from ._paper_simulation import paper_simulation
from ._simulate import simulate, simulated_expectation
from ._simulate_like import simulate_like
from ._statistics import CountStatistics
from ._toy import ToyStudy, toy_study
from ._toy_fragments import write_toy_fragments
from ._toy_ldsc import ToyLdsc, toy_ldsc
from ._toy_multiome import ToyMultiome, toy_multiome

__all__ = [
    "CountStatistics",
    "DataNotFoundError",
    "ToyLdsc",
    "ToyMultiome",
    "ToyStudy",
    "available",
    "build_gene_sets",
    "fetch",
    "load",
    "paper_simulation",
    "simulate",
    "simulate_like",
    "simulated_expectation",
    "toy_ldsc",
    "toy_multiome",
    "toy_study",
    "write_toy_fragments",
]
