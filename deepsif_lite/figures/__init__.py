"""One function a figure: cortex maps, topographies, time courses, scores.

Every function returns ``(fig, ax)`` and never shows or saves anything. Colors are
fixed for the whole book (Okabe and Ito's color-blind-safe set): a method keeps its
color in every chapter.
"""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "style": [
            "METHOD_COLORS",
            "METHOD_NAMES",
            "PAPER_COLOR",
            "STYLE",
            "WIDTH",
            "method_color",
            "method_name",
            "use_style",
        ],
        "views": ["HEMISPHERES", "OUTLINE_COLORS", "colormap"],
        "cortex_maps": ["plot_cortex", "plot_maps", "plot_methods"],
        "comparison": [
            "plot_boxes",
            "plot_cancellation",
            "plot_distributions",
            "plot_levels",
        ],
        "drawings": ["plot_definitions", "plot_growth"],
        "patients": [
            "plot_counts",
            "plot_patient_maps",
            "plot_patient_scores",
            "plot_people",
            "plot_spike_clusters",
            "plot_study",
        ],
        "responses": ["plot_electrode", "plot_group", "plot_shares"],
        "explorer": ["Explorer", "explore_cortex"],
        "head": ["plot_head"],
        "over_time": ["make_movie", "movie_html", "plot_courses", "plot_frames"],
        "scores": ["plot_area", "plot_reliability", "plot_strata"],
        "sensors": ["plot_butterfly", "plot_evoked", "plot_topography"],
        "networks": ["Block", "plot_blocks", "plot_layers"],
        "training": ["plot_learning", "plot_loss"],
    },
)
