"""The smoothing scores of a fit, against the raw TF-IDF."""

from __future__ import annotations

from ..metrics import raw_tfidf, smoothing_scores
from ..metrics.profiles import Profiles
from .study import Fit, Study


def smoothing_of(fit: Fit, study: Study) -> dict[str, float]:
    """Return the scores of :func:`sccase_kit.metrics.smoothing_scores` by name."""
    raw = Profiles(raw_tfidf(study.adata))
    return {str(name): float(value) for name, value in smoothing_scores(study.labels, fit.plain, raw).items()}
