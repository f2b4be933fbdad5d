"""Synthetic EEG: spike clips, patches and a head model make EEG and its sources."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "artifacts": [
            "ArtifactGenerator",
            "OCCURRENCES",
            "Occurrence",
            "mix_artifacts",
            "stack_artifacts",
        ],
        "samples": ["Batch", "Sample"],
        "stream": ["SyntheticEEG"],
        "varied": ["VariedEEG"],
        "variety": ["Variety"],
    },
)
