"""Figures as a page carries them: sharp on any screen, in few bytes."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image, ImageColor
from scipy.spatial import cKDTree

from deepsif_lite.figures import METHOD_COLORS, OUTLINE_COLORS, PAPER_COLOR

COLORS = 256
"""As many as a palette holds; a figure's shades of gray and colors fit into them."""
EXACT = 64
"""Those that most pixels have stay as they are: lettering says by its color what it
stands for, but is too small for a palette that only counts pixels."""
NAMED = {
    ImageColor.getrgb(color)
    for color in (*METHOD_COLORS.values(), *OUTLINE_COLORS, PAPER_COLOR)
}
"""Colors that stand for methods and sources stay as they are, however few pixels have
them: beside maps of the cortex, a label is less than any of a thousand shades."""
DRAWN_DPI = 200
SHOWN_DPI = 110
"""Inches of a figure are shown so large that its lettering has the size of the text."""


def with_palette(png: bytes) -> bytes:
    """Return a picture with a palette, which takes a third of the bytes.

    Parameters
    ----------
    png : bytes
        A picture in PNG; one that has a palette already, or is smaller without, is
        returned as it is.
    """
    picture = Image.open(io.BytesIO(png))
    if picture.mode == "P":
        return png
    page = Image.new("RGB", picture.size, "white")
    page.paste(picture.convert("RGBA"), mask=picture.convert("RGBA").getchannel("A"))
    pixels = np.asarray(page) @ (1 << 16, 1 << 8, 1)
    packed, where, counts = np.unique(pixels, return_inverse=True, return_counts=True)
    colors = (packed[:, None] >> (16, 8, 0) & 255).astype(np.uint8)
    palette = _palette(colors, counts)
    nearest = cKDTree(palette).query(colors)[1].astype(np.uint8)
    few = Image.fromarray(nearest[where.reshape(pixels.shape)], "P")
    few.putpalette(palette.astype(np.uint8).tobytes())
    written = io.BytesIO()
    few.save(written, "PNG", optimize=True, dpi=picture.info.get("dpi"))
    return min(png, written.getvalue(), key=len)


def _palette(colors: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Choose the colors of a picture: those that fill it, and some between all of them.

    Those between are spread over the colors there are, however many pixels have each:
    a color bar is small beside the gray of a cortex, and has no steps all the same.
    """
    there = set(map(tuple, colors.tolist()))
    most = colors[np.argsort(counts, kind="stable")[::-1][:EXACT]].tolist()
    exact = [*dict.fromkeys([*sorted(NAMED & there), *map(tuple, most)])][:EXACT]
    each = Image.fromarray(colors[None])
    between = each.quantize(COLORS - EXACT, method=Image.Quantize.MEDIANCUT)
    return np.array([*exact, *np.reshape(between.getpalette(), (-1, 3))][:COLORS])


def shrink(outputs: list) -> None:
    """Give the pictures among a cell's outputs palettes."""
    for output in outputs:
        data = output.get("data", {})
        if "image/png" in data:
            smaller = with_palette(base64.b64decode(data["image/png"]))
            data["image/png"] = base64.b64encode(smaller).decode()


def shown_size(png: bytes) -> tuple[int, int] | None:
    """Return width and height, in pixels of a page, of a picture drawn at 200 dpi.

    None for any other: it is shown as it is.
    """
    picture = Image.open(io.BytesIO(png))
    dpi = picture.info.get("dpi", (0, 0))[0]
    if round(dpi) != DRAWN_DPI:
        return None
    width, height = (round(n * SHOWN_DPI / DRAWN_DPI) for n in picture.size)
    return width, height
