"""Synthetic test sets, calibration, patients real and virtual."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "synthetic": ["METRICS", "card_scores", "evaluate", "per_sample", "summary"],
        "calibration": ["expected_calibration_error", "forecasts", "reliability"],
        "cohort": ["Patient", "WINDOW", "published_patient", "score_patient"],
        "virtual": ["misplace_electrodes", "virtual_cohort", "virtual_response"],
    },
)
