"""The cortex: parcels of fsaverage5, patches of parcels, Brodmann areas."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "parcels": ["Parcels", "matching_parcels"],
        "surface": ["Cortex", "load_cortex"],
        "parcellation": ["parcellate"],
        "patches": [
            "decay",
            "grow_patch",
            "grow_to_area",
            "patch_candidates",
            "sized_candidates",
        ],
        "dictionary": ["patch_dictionary"],
        "brodmann": [
            "TEMPORAL",
            "VISUAL",
            "area_names",
            "brodmann_of_vertex",
            "brodmann_regions",
            "mni_coordinates",
        ],
    },
)
