"""EEG in, source images out."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "amplitude": [
            "Amplitude",
            "Moment",
            "fit_amplitude",
            "in_ampere_meters",
            "source_moment",
        ],
        "imager": ["Imager"],
        "loading": ["load_model"],
        "by_method": ["image", "image_epochs", "image_raw"],
        "explanation": ["Explanation"],
        "recalibration": ["BetaCalibration", "of_people"],
        "source_image": ["Peak", "SourceImage"],
        "evidence": ["Evidence", "artifact_shares"],
        "trust": ["LIMITS", "Trust", "VERDICTS"],
        "averaging": ["average"],
        "own_surface": ["morph_to_subject"],
        "report": ["write_image"],
        "derivative": ["region_labels", "write_courses", "write_derivative"],
        "onnx_export": ["export_onnx"],
    },
)
