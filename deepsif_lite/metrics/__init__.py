"""Which regions are active, and how right that is: pure functions of arrays."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "extent": ["active_regions", "likely_regions", "otsu_threshold"],
        "scores": [
            "assign_regions",
            "auc",
            "correlation",
            "localization_error",
            "precision_recall",
            "score",
            "score_resection",
            "score_sources",
            "spatial_dispersion",
        ],
    },
)
