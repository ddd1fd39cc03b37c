"""The scCASE paper (Tang et al. 2024), repeated claim by claim on the data there are."""

from .registry import EXPERIMENTS, Claim, Drawing, Experiment, Finding, list_experiments
from .run import Reproduction, reproduce
from .study import Fit, Study

register = EXPERIMENTS.register
unregister = EXPERIMENTS.unregister

__all__ = [
    "Claim",
    "Drawing",
    "Experiment",
    "Finding",
    "Fit",
    "Reproduction",
    "Study",
    "list_experiments",
    "register",
    "reproduce",
    "unregister",
]
