"""Specific (marker) and background peaks from the counts and the fitted model."""

from .markers import (
    OpenTest,
    enhanced_fold_changes,
    level_profiles,
    marker_scores,
    open_test,
    resembling,
)
from .profiles import contrasts, group_profiles, variation
from .specific import Activation, background_positions, choose_components, component_activation, rank_peaks

__all__ = [
    "Activation",
    "OpenTest",
    "background_positions",
    "choose_components",
    "component_activation",
    "contrasts",
    "enhanced_fold_changes",
    "group_profiles",
    "level_profiles",
    "marker_scores",
    "open_test",
    "rank_peaks",
    "resembling",
    "variation",
]
