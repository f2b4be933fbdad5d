"""Interictal spikes in simulated activity, and libraries of clips cut around them."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "detection": [
            "CLIP_SAMPLES",
            "Clip",
            "ClipCutter",
            "SFREQ",
            "THRESHOLD",
            "find_peaks",
            "rescale_spikes",
            "spike_span",
        ],
        "library": ["SpikeLibrary", "load_spike_library"],
        "build": [
            "DT",
            "GAINS",
            "SETTINGS",
            "build_spike_library",
            "library_plans",
        ],
        "report": [
            "read_report",
            "read_simulations",
            "region_report",
            "report_lines",
        ],
        "statistics": [
            "CONDITIONS",
            "Condition",
            "activity_statistics",
            "SPIKE_RATE",
            "engine_differences",
            "oscillation_frequency",
            "read_tvb_statistics",
            "run_condition",
            "small_brain",
            "summarize_runs",
        ],
    },
)
