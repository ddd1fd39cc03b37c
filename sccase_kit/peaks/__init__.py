"""Specific and background peaks from the fitted model."""

from .profiles import contrasts, group_profiles, variation
from .specific import Activation, background_positions, choose_components, component_activation, rank_peaks

__all__ = [
    "Activation",
    "background_positions",
    "choose_components",
    "component_activation",
    "contrasts",
    "group_profiles",
    "rank_peaks",
    "variation",
]
