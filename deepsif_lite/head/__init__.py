"""Head models: from activity of the parcels to potentials at the electrodes."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "loading": ["HEAD_MODELS", "load_head_model"],
        "model": [
            "HeadModel",
            "load_shells",
            "sum_over_parcels",
            "topography_correlation",
        ],
        "template": [
            "SKULL_THICKNESS",
            "build_head_model",
            "template_shells",
        ],
        "fsaverage": ["fiducials"],
        "scalp": ["ScalpPotentials"],
        "shells": ["Shells", "clearance"],
        "bem": ["BRAIN_CONDUCTIVITY", "SKULL_RATIO", "eeg_gain", "meg_gain"],
        "electrodes": [
            "CHANNELS_75",
            "TEN_TWENTY",
            "published_cap",
            "template_positions",
        ],
        "artifact_sources": [
            "ArtifactSites",
            "ArtifactSources",
            "load_artifact_sources",
            "place_artifacts",
        ],
        "cap_sampler": ["CapSampler", "Wearer"],
        "training_caps": ["load_cap_sampler"],
        "caps": ["load_scalp_potentials", "template_cap"],
        "jitter": ["ElectrodeJitter"],
        "shape": ["HeadShape"],
        "variants": [
            "Cap",
            "Geometry",
            "HEAD_VARIANTS",
            "HeadVariant",
            "build_gains",
            "load_head_variant",
            "place_electrodes",
        ],
        "meg": ["helmet", "load_meg_head"],
        "fem": ["load_fem_head"],
        "comparison": [
            "compare_geometries",
            "compare_leadfields",
            "load_comparison_maps",
            "log_magnitude",
            "relative_difference",
            "summarize_comparison",
            "tabulate_comparison",
        ],
        "resolution": ["peak_error", "resolution_matrix", "spatial_deviation"],
        "training_head": [
            "TrainingHead",
            "load_training_head",
            "pack_head",
        ],
    },
)
