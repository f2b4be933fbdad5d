"""The networks: the paper's, and a small one that a laptop can train; their weights."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "protocol": ["SourceNetwork"],
        "build": ["NETWORKS", "build_network"],
        "paper": ["PaperNetwork"],
        "scan": ["ScanNetwork"],
        "scan_geometry": ["ScanGeometry"],
        "scalp_maps": ["NOISE_SHARE", "source_whitener", "unit_maps"],
        "signal_band": ["STANDS_OUT", "band_spectrum"],
        "cards": [
            "available_weights",
            "check_card",
            "edit_card",
            "head_fingerprint",
            "load_card",
            "load_log",
            "write_card_scores",
        ],
        "weights": ["load_weights", "save_weights"],
        "transfer": ["start_from", "transferred"],
    },
)
