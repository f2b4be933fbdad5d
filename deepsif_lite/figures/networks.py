"""Networks: their layers side by side, and their blocks with shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..errors import OptionError, check_option
from .style import PAPER_COLOR, WIDTH, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FILL = {"data": "#e6e6e6", "physics": "#d5e8f3", "layer": "#fbe3c4"}
_EDGE, _LINE = "#808080", "#555555"
_SKIP_COLOR = "#0072B2"
_BAR_WIDTH = 0.55  # of the distance of two layers
_ROW_HEIGHT = 0.82  # inches of a row of blocks
_BLOCK_HEIGHT = 0.6  # of a row; the rest is for arrows
_TEXT_SIZE = 8.5


class Block(NamedTuple):
    """A box of a diagram.

    Attributes
    ----------
    x, row : float
        Center, in widths of the column (0 to 1), and the row from the top.
    width : float
        Of the column.
    text : str
    kind : {"data", "physics", "layer"}
        Gray: data; blue: computed from the head model; orange: learned.
    """

    x: float
    row: float
    width: float
    text: str
    kind: str = "data"


@styled
def plot_blocks(
    blocks: Mapping[str, Block], arrows: Sequence[tuple[str, str]]
) -> tuple[Figure, Axes]:
    """Draw a network as boxes, input at the top, with what flows between them.

    Parameters
    ----------
    blocks : mapping of name to Block
    arrows : sequence of (from, to)
        Names of blocks; from the lower edge of one to the upper edge of another, or
        from side to side in one row.

    Returns
    -------
    fig, ax : Figure and Axes

    Raises
    ------
    OptionError
        An arrow or a kind that does not exist.
    """
    import matplotlib.pyplot as plt

    n_rows = 1 + max(block.row for block in blocks.values())
    size = (WIDTH, _ROW_HEIGHT * n_rows)
    fig, ax = plt.subplots(figsize=size, layout="constrained")
    for block in blocks.values():
        _draw_block(ax, block)
    for ends in arrows:
        for name in ends:
            check_option("arrow", name, blocks)
        start, end = _ends(*(blocks[name] for name in ends))
        arrow = {"arrowstyle": "-|>", "color": _LINE, "lw": 0.8, "shrinkA": 0}
        ax.annotate("", end, start, arrowprops=arrow | {"shrinkB": 0})
    ax.set(xlim=(0, 1), ylim=(0.5 - n_rows, 0.5))
    ax.axis("off")
    return fig, ax


def _draw_block(ax: Axes, block: Block) -> None:
    from matplotlib.patches import Rectangle

    check_option("kind", block.kind, _FILL)
    corner = (block.x - block.width / 2, -block.row - _BLOCK_HEIGHT / 2)
    style = {"fc": _FILL[block.kind], "ec": _EDGE, "lw": 0.8}
    ax.add_patch(Rectangle(corner, block.width, _BLOCK_HEIGHT, **style))
    where = {"ha": "center", "va": "center", "fontsize": _TEXT_SIZE}
    ax.text(block.x, -block.row, block.text, linespacing=1.15, **where)


def _ends(above: Block, below: Block) -> tuple[tuple, tuple]:
    """Return where an arrow starts and ends; straight down where boxes overlap."""
    if above.row == below.row:
        side = 1 if below.x > above.x else -1
        start, end = above.x + side * above.width / 2, below.x - side * below.width / 2
        return (start, -above.row), (end, -above.row)
    half = _BLOCK_HEIGHT / 2
    left = max(block.x - block.width / 2 for block in (above, below))
    right = min(block.x + block.width / 2 for block in (above, below))
    xs = 2 * [(left + right) / 2] if left < right else (above.x, below.x)
    return (xs[0], -above.row - half), (xs[1], -below.row + half)


@styled
def plot_layers(
    layers: Sequence[tuple[str, int]],
    skips: Sequence[tuple[int, int, str]] = (),
    groups: Mapping[str, tuple[int, int]] | None = None,
) -> tuple[Figure, Axes]:
    """Draw a network layer by layer, each as tall as it has units.

    Parameters
    ----------
    layers : sequence of (name, n_units)
        From input to output; the first is data.
    skips : sequence of (from, to, text)
        Numbers of the layers that a connection joins past those between; ``text`` is
        written on it. It ends where it is added.
    groups : mapping of name to (first, last) | None
        Layers that belong together, a line below them.

    Returns
    -------
    fig, ax : Figure and Axes

    Raises
    ------
    OptionError
        A skip that leads to no layer, or back.
    """
    import matplotlib.pyplot as plt

    tallest = max(size for _, size in layers)
    tops = [size / tallest / 2 for _, size in layers]
    fig, ax = plt.subplots(figsize=(WIDTH, 2.7), layout="constrained")
    for x, ((name, size), top) in enumerate(zip(layers, tops, strict=True)):
        fill = _FILL["layer" if x else "data"]
        ax.bar(x, 2 * top, _BAR_WIDTH, bottom=-top, fc=fill, ec=_EDGE, lw=0.8)
        text = {"ha": "center", "fontsize": _TEXT_SIZE}
        ax.text(x, -0.55, f"{name}\n{size}", va="top", **text)
        if x:
            arrow = {"arrowstyle": "-|>", "color": _LINE, "lw": 0.8}
            edges = (x - _BAR_WIDTH / 2, 0), (x - 1 + _BAR_WIDTH / 2, 0)
            ax.annotate("", *edges, arrowprops=arrow | {"shrinkA": 1, "shrinkB": 1})
    for first, last, label in skips:
        _draw_skip(ax, tops, first, last, label)
    for name, (first, last) in (groups or {}).items():
        ax.plot([first - 0.35, last + 0.35], 2 * [-0.88], color=PAPER_COLOR, lw=1)
        ax.text(
            (first + last) / 2, -0.91, name, ha="center", va="top", fontsize=_TEXT_SIZE
        )
    ax.set(xlim=(-0.5, len(layers) - 0.5), ylim=(-1.08, 0.62))
    ax.axis("off")
    return fig, ax


def _draw_skip(ax: Axes, tops: Sequence[float], first: int, last: int, text: str):
    """Draw a line that rises from one layer, passes others and comes down on one."""
    if not 0 <= first < last < len(tops):
        msg = f"skip from layer {first} to {last} of {len(tops)}; it must lead forward."
        raise OptionError(msg)
    height = max(tops[first : last + 1]) + 0.12
    ax.plot([first, first, last], [tops[first], height, height], color=_SKIP_COLOR)
    arrow = {"arrowstyle": "-|>", "color": _SKIP_COLOR, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (last, tops[last]), (last, height), arrowprops=arrow)
    middle = (first + last) / 2
    style = {"ha": "center", "va": "bottom", "fontsize": _TEXT_SIZE}
    ax.text(middle, height + 0.02, text, color=_SKIP_COLOR, **style)
