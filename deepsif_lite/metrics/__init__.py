"""Which regions are active, and how right that is: pure functions of arrays."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "extent": [
            "active_regions",
            "activity_map",
            "likely_regions",
            "otsu_threshold",
            "select_regions",
        ],
        "scores": [
            "assign_regions",
            "correlation",
            "localization_error",
            "precision_recall",
            "score",
            "score_sources",
        ],
        "maps": ["average_precision", "earth_movers_distance"],
        "resection": ["score_resection", "spatial_dispersion"],
        "roc": ["auc"],
    },
)
