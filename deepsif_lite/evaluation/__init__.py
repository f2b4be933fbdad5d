"""Synthetic test sets, calibration, patients real and virtual."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "synthetic": ["across_heads", "evaluate"],
        "tables": [
            "MAP_METRICS",
            "DEEPEST",
            "METRICS",
            "card_scores",
            "headline",
            "paper_scores",
            "per_sample",
            "summary",
        ],
        "calibration": [
            "expected_calibration_error",
            "probability_and_truth",
            "reliability",
        ],
        "comparison": ["compare_methods", "over_cortex"],
        "controlled": ["ControlledEEG"],
        "independent": ["IndependentEEG", "grow_at_random", "spike_and_wave"],
        "cohort": ["Patient", "WINDOW", "published_patient", "score_patient"],
        "virtual": ["misplace_electrodes", "virtual_cohort", "virtual_response"],
    },
)
