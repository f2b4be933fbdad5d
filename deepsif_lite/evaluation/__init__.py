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
        "comparison": ["compare_methods", "over_cortex", "rise_of_median"],
        "by_place": ["TrustMap", "trust_map"],
        "controlled": ["ControlledEEG"],
        "independent": ["IndependentEEG", "grow_at_random", "spike_and_wave"],
        "patient": ["Intracranial", "Patient"],
        "steps": [
            "BAND",
            "WINDOW",
            "average_spikes",
            "image_spike",
            "spike_extent",
            "spike_map",
        ],
        "cohort": [
            "BETTER",
            "compare_cohort",
            "score_cohort",
            "score_patient",
            "summarize_cohort",
        ],
        "bids": ["read_bids_patient"],
        "reading": ["published_patient", "read_patient", "read_patients"],
        "stability": [
            "AT_PEAK",
            "explained_by_patches",
            "focus",
            "image_averages",
            "image_singles",
        ],
        "clusters": ["SpikeClusters", "cluster_spikes", "source_course"],
        "ictal": [
            "ICTAL_KINDS",
            "ictal_waveform",
            "score_seizure",
            "virtual_seizure",
        ],
        "people": ["misplace_electrodes"],
        "virtual": ["virtual_cohort"],
        "virtual_responses": ["virtual_response"],
        "subjects": ["virtual_study", "virtual_trials"],
    },
)
