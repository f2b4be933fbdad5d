"""A cortex to turn and click, in one self-contained piece of HTML (no network).

The page is drawn by WebGL from a compressed block of numbers: both surfaces, the
parcels, the maps to choose from and the scalp map of every region.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..cortex.brodmann import area_names
from ..errors import OptionError, SignalError, check_shape
from .raster import surface_points
from .views import colormap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from ..cortex.surface import Cortex
    from ..head.model import HeadModel

_LEVELS = 254  # of a map; 255 stands for no value
_UNIT = 1e4  # stored coordinates are integers of 0.1 mm
_HEIGHT = 440  # pixels


@dataclass(frozen=True)
class Explorer:
    """A page; notebooks show it in a frame of its own.

    Attributes
    ----------
    html : str
        The whole page.
    """

    html: str

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.html)}" title="Cortex to turn and click" '
            f'style="width: 100%; height: {_HEIGHT}px; border: 0"></iframe>'
        )

    def __repr__(self) -> str:
        return "<Explorer: shown by a browser>"


def explore_cortex(
    head: HeadModel,
    maps: Mapping[str, tuple[ArrayLike, str]],
    *,
    chosen: int = 0,
) -> Explorer:
    """Show maps on a cortex that the reader turns, and scalp maps of clicked regions.

    Parameters
    ----------
    head : HeadModel
        Its cortex is drawn, its leadfield gives the scalp maps. Regions have the names
        of their Brodmann areas where the atlas is at hand.
    maps : mapping of name to (values, unit)
        One value a region, from zero up, array of shape (n_regions,); NaN is drawn as
        bare cortex. The reader chooses among them.
    chosen : int
        Region that is marked first.

    Returns
    -------
    Explorer
        The last value of a notebook cell shows it; ``.html`` is the page.

    Raises
    ------
    OptionError
        No map is given, or ``chosen`` is no region.
    SignalError
        A map has the wrong length or a negative value.
    """
    cortex = head.cortex
    _check(maps, chosen, cortex)
    levels, about = zip(
        *(_quantize(name, *map_) for name, map_ in maps.items()), strict=True
    )
    drawn, meta = cortex_drawing(head)
    arrays = {**drawn, "maps": np.stack(levels), "gain": _scalp_maps(head)}
    meta |= {"arrays": list_arrays(arrays), "maps": about, "chosen": int(chosen)}
    meta["areas"] = area_names(cortex)
    left = cortex.hemisphere[chosen] == "lh"
    meta["view"] = "left" if left else "right"  # where the region can be seen
    folder = Path(__file__).parent
    page = (folder / "explorer.html").read_text(encoding="utf-8")
    view = (folder / "cortex_view.js").read_text(encoding="utf-8")
    text = json.dumps(meta).replace("<", "\\u003c")  # a name must not end the script
    data = base64.b64encode(zlib.compress(join_planes(arrays), 9)).decode("ascii")
    for mark, part in {"VIEW": view, "META": text, "DATA": data}.items():
        page = page.replace(f"__{mark}__", part)
    return Explorer(page)


def cortex_drawing(head: HeadModel) -> tuple[dict[str, NDArray], dict]:
    """Return what ``cortex_view.js`` draws: arrays, and numbers about them.

    Parameters
    ----------
    head : HeadModel
        Its cortex and electrodes are drawn.

    Returns
    -------
    arrays : dict of str to array
        Both surfaces, the faces of one hemisphere, regions, sulci, color maps.
    meta : dict
        Electrodes on a disc, sizes, and the unit of the surfaces.
    """
    cortex = head.cortex
    half = cortex.faces[: len(cortex.faces) // 2]
    arrays = {
        "pial": _centered(cortex, "pial"),
        "inflated": _centered(cortex, "inflated"),
        "faces": half.astype("<u2"),
        "region": cortex.region_of_vertex.astype("<i2"),
        "sulcus": (np.asarray(cortex.sulc) > 0).astype("u1"),
        "colors": _table(colormap("sequential"), _LEVELS + 1),
        "signed": _table(colormap("diverging"), 256),
    }
    meta = {
        "electrodes": _on_disc(head).round(3).tolist(),
        "n_left": cortex.n_left,
        "n_regions": cortex.n_regions,
        "unit": _UNIT,
    }
    return arrays, meta


def list_arrays(arrays: Mapping[str, NDArray]) -> list[list]:
    """Return name, type and size of each array, in order."""
    return [[key, a.dtype.str[1:], a.size] for key, a in arrays.items()]


def _check(maps: Mapping, chosen: int, cortex: Cortex) -> None:
    if not maps:
        msg = "maps is empty; give at least one name: (values, unit)."
        raise OptionError(msg)
    for name, (values, _) in maps.items():
        check_shape(f"maps[{name!r}]", np.shape(values), (cortex.n_regions,))
        if np.nanmin(values) < 0:
            msg = f"maps[{name!r}] holds negative values; show their magnitude."
            raise SignalError(msg)
    if not 0 <= chosen < cortex.n_regions:
        msg = f"chosen={chosen!r} is not a region; there are {cortex.n_regions}."
        raise OptionError(msg)


def _centered(cortex: Cortex, surface: str) -> NDArray:
    """Vertices around the middle of their bounding box, (n_vertices, 3), 0.1 mm."""
    points = surface_points(cortex, surface)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    return np.round((points - middle) * _UNIT).astype("<i2")


def _quantize(name: str, values: ArrayLike, unit: str) -> tuple[NDArray, dict]:
    """Return a map in whole levels, and what the page says about it."""
    values = np.asarray(values, float)
    top = float(f"{np.nanmax(values):.3g}") or 1.0
    levels = np.clip(np.round(_LEVELS * values / top), 0, _LEVELS)
    levels[np.isnan(values)] = _LEVELS + 1
    return levels.astype("u1"), {"name": name, "unit": unit, "range": [0, top]}


def _scalp_maps(head: HeadModel) -> NDArray:
    """Scalp maps divided by their largest magnitude, (n_regions, n_channels) bytes."""
    maps = head.referenced_leadfield.T
    largest = np.abs(maps).max(axis=1, keepdims=True)
    return np.round(127 * maps / largest).astype("i1")


def _on_disc(head: HeadModel) -> NDArray:
    """Electrodes seen from above, the angle from the vertex as radius; (n, 2)."""
    center = np.array([*head.cortex.vertices.mean(axis=0)[:2], 0.0])
    x, y, z = (head.sensors - center).T
    radius = np.arctan2(np.hypot(x, y), z)
    flat = np.column_stack([x, y]) / np.hypot(x, y).clip(1e-9)[:, None]
    return flat * (radius / radius.max())[:, None]


def _table(cmap, n_levels: int) -> NDArray:
    """Return the colors of a color map as bytes, shape (n_levels, 3)."""
    colors = cmap(np.linspace(0, 1, n_levels))[:, :3]
    return np.round(255 * colors).astype("u1")


def join_planes(arrays: Mapping[str, NDArray]) -> bytes:
    """Join arrays as byte planes, one after the other, since high bytes repeat."""
    return b"".join(
        np.ascontiguousarray(array)
        .view(np.uint8)
        .reshape(array.size, array.itemsize)
        .T.tobytes()
        for array in arrays.values()
    )
