"""DeepSIF in reproducible form: simulate brains, train on them, image real EEG.

The public names below are loaded on first use, so that importing the package
costs next to nothing (MNE, torch and nilearn are heavy).
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

_PUBLIC = {
    "Cortex": "cortex",
    "load_cortex": "cortex",
    "Connectome": "connectome",
    "load_connectome": "connectome",
    "simulate": "neural_mass",
    "simulate_chunks": "neural_mass",
    "SpikeLibrary": "spike_library",
    "load_spike_library": "spike_library",
    "HeadModel": "head",
    "load_head_model": "head",
    "grow_patch": "patches",
    "patch_candidates": "patches",
    "SyntheticEEG": "synthesis",
    "train": "training",
    "load_model": "imaging",
    "SourceImage": "source_image",
    "image": "imaging",
    "score": "metrics",
    "load_recording": "recordings",
    "get_profile": "profiles",
}

# Rooms used whole by the chapters: dl.figures.plot_cortex, dl.results.write_table.
_ROOMS = {
    "areas",
    "calibration",
    "cohort",
    "evaluation",
    "figures",
    "files",
    "metrics",
    "preparation",
    "recordings",
    "results",
    "scorecard",
    "solvers",
}

__all__ = sorted([*_PUBLIC, *_ROOMS])


def __getattr__(name: str):
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    if name in _PUBLIC:
        return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
