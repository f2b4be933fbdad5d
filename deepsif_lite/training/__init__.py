"""Training of the networks on synthetic EEG."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "config": [
            "ANY_CAP_SIZES",
            "ANY_CAP_SOURCES",
            "TrainingConfig",
            "configuration_of",
        ],
        "run": ["train"],
        "validation": ["SCORES", "ScoreSet"],
    },
)
