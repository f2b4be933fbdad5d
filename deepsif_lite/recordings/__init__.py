"""EEG comes in: the published recordings, files of any kind, preparation."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "published": ["fetch", "find", "registry"],
        "responses": [
            "VIRTUAL",
            "load_or",
            "load_recording",
            "load_resting_eeg",
            "recording_names",
        ],
        "files": ["read_evoked"],
        "names": ["match_names", "standard_names"],
        "preparation": ["prepare", "resting_clips"],
        "windows": ["crop_window"],
    },
)
