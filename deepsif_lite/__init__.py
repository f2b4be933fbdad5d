"""DeepSIF in reproducible form: simulate brains, train on them, image real EEG.

The public names below are loaded on first use, so that importing the package
costs next to nothing (MNE, torch and nilearn are heavy). Each step of the pipeline
is a package of its own, a room; data flows from the first to the last.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "Connectome": "neural_mass",
    "Cortex": "cortex",
    "HeadModel": "head",
    "Imager": "imaging",
    "Patient": "evaluation",
    "RecordingUnavailable": "errors",
    "Sample": "synthesis",
    "SourceImage": "imaging",
    "SpikeLibrary": "spikes",
    "SyntheticEEG": "synthesis",
    "TrainingConfig": "training",
    "average": "imaging",
    "evaluate": "evaluation",
    "get_profile": "profiles",
    "grow_patch": "cortex",
    "image": "imaging",
    "image_epochs": "imaging",
    "image_raw": "imaging",
    "load_connectome": "neural_mass",
    "load_cortex": "cortex",
    "load_head_model": "head",
    "load_head_variant": "head",
    "load_model": "imaging",
    "load_recording": "recordings",
    "load_spike_library": "spikes",
    "patch_candidates": "cortex",
    "score": "metrics",
    "simulate": "neural_mass",
    "simulate_chunks": "neural_mass",
    "train": "training",
}

# The rooms in their order: each imports only rooms before it.
_ROOMS = (
    "recordings",
    "results",
    "cortex",
    "neural_mass",
    "head",
    "metrics",
    "spikes",
    "solvers",
    "figures",
    "synthesis",
    "network",
    "training",
    "imaging",
    "evaluation",
)

# Files at the root whose names are public too.
_FILES = ("errors", "profiles", "signals")

# Former names of what has become part of a room.
_FORMER = {
    "areas": "cortex",
    "calibration": "evaluation",
    "cohort": "evaluation",
    "files": "recordings",
    "preparation": "recordings",
    "scorecard": "results",
}

__all__ = sorted([*_HOME, *_ROOMS, *_FILES, *_FORMER])


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    if name in __all__:
        return import_module(f"{__name__}.{_FORMER.get(name, name)}")
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
