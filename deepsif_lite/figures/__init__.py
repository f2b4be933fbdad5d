"""One function a figure: cortex maps, topographies, time courses, scores.

Every function returns ``(fig, ax)`` and never shows or saves anything. Colors are
fixed for the whole book (Okabe and Ito's color-blind-safe set): a method keeps its
color in every chapter.
"""

from .cortex_maps import (
    FIVE_VIEWS,
    HEMISPHERES,
    OUTLINE_COLORS,
    colormap,
    plot_cortex,
    plot_maps,
    plot_methods,
)
from .explorer import Explorer, explore_cortex
from .head import SHELL_COLORS, plot_head
from .scores import plot_area, plot_metrics, plot_reliability, plot_strata
from .sensors import plot_butterfly, plot_topography
from .style import (
    METHOD_COLORS,
    METHOD_NAMES,
    PAPER_COLOR,
    STYLE,
    method_color,
    method_name,
    use_style,
)
from .training import plot_loss, plot_stages

__all__ = [
    "Explorer",
    "FIVE_VIEWS",
    "HEMISPHERES",
    "METHOD_COLORS",
    "METHOD_NAMES",
    "OUTLINE_COLORS",
    "PAPER_COLOR",
    "SHELL_COLORS",
    "STYLE",
    "colormap",
    "explore_cortex",
    "method_color",
    "method_name",
    "plot_area",
    "plot_butterfly",
    "plot_cortex",
    "plot_head",
    "plot_loss",
    "plot_maps",
    "plot_methods",
    "plot_metrics",
    "plot_reliability",
    "plot_stages",
    "plot_strata",
    "plot_topography",
    "use_style",
]
