"""Simulated studies with planted truth, and the data sets of the paper."""

from ._toy import ToyStudy, toy_study

__all__ = ["ToyStudy", "toy_study"]
