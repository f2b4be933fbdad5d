"""The page of a report: whole by itself, for a screen, a phone and paper.

No script, nothing to load. (An mne.Report does no more with what is shown here, takes a
second to import and adds a megabyte of scripts.)
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL import Image

_DPI = 300  # a view as wide as half of a phone is sharp on its fine pixels
_PAD = 6  # pixels around a piece of a figure
# A third of the size of PNG; every browser since 2020 shows it.
_FORMAT, _QUALITY = "webp", 85
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
h1 {{ overflow-wrap: anywhere }}
img {{ max-width: 100%; display: block }}
.views {{ display: grid; gap: 0.3rem; align-items: center }}
.cortex {{ grid-template-columns: repeat(4, 1fr) 4.5rem }}
.eeg {{ grid-template-columns: 1fr 15rem 3.5rem }}
.table {{ overflow-x: auto }}
table {{ border-collapse: collapse }}
th, td {{ padding: 0.2rem 0.7rem; text-align: right }}
tr:nth-child(even) {{ background: #f3f3f3 }}
td:last-child {{ text-align: left }}
.regions td {{ white-space: nowrap }}
@media screen and (max-width: 40rem) {{
 body {{ margin: 1rem auto }}
 h1 {{ font-size: 1.4rem }}
 h2 {{ font-size: 1.15rem }}
 .cortex {{ grid-template-columns: 1fr 1fr 3.6rem }}
 .cortex img:last-child {{ grid-area: 1 / 3 / 3 }}
 .eeg {{ grid-template-columns: 1fr 3.6rem }}
 .eeg img:first-child {{ grid-column: 1 / 3 }}
 .eeg img:nth-child(2) {{ max-width: 15rem; justify-self: center }}
 th, td {{ padding: 0.15rem 0.2rem; font-size: 0.75rem }}
 .regions :is(th, td) {{ padding: 0.15rem 0.14rem; font-size: 0.68rem }}
}}
@media print {{
 @page {{ margin: 12mm }}
 body {{ margin: 0; padding: 0; max-width: none; font-size: 8.5pt }}
 h1 {{ font-size: 14pt; margin: 0 }}
 h2 {{ font-size: 11pt; margin: 2mm 0 1mm; break-after: avoid }}
 p {{ margin: 0 0 1mm }}
 .views {{ max-width: 150mm; break-inside: avoid }}
 .cortex {{ grid-template-columns: repeat(4, 1fr) 14mm }}
 .eeg {{ grid-template-columns: 1fr 40mm 10mm }}
 th, td {{ padding: 0 2mm; font-size: 7.5pt }}
 tr {{ break-inside: avoid }}
}}
</style>
</head>
<body>
<h1>{title}</h1>
{sections}
</body>
</html>
"""


def page(title: str, sections: list[str]) -> str:
    """Return the whole page."""
    return _PAGE.format(title=escape(title), sections="\n".join(sections))


def section(title: str, note: str, content: str) -> str:
    """Return a heading, a line of text, and HTML below it."""
    return f"<h2>{escape(title)}</h2>\n<p>{escape(note)}</p>\n{content}"


def views(fig: Figure, name: str, kind: str) -> str:
    """Return the axes of a figure as pictures of their own, which a phone can stack.

    Parameters
    ----------
    fig : Figure
    name : str
        What it shows, in words.
    kind : {"cortex", "eeg"}
        How they lie: four views and a scale; traces, a scalp map and a scale.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    for legend in fig.legends:  # the text says it
        legend.set_visible(False)
    fig.set_dpi(_DPI)
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    whole = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    pictures = "\n".join(_picture(whole, ax, name) for ax in fig.axes)
    return f'<div class="views {kind}">\n{pictures}\n</div>'


def _picture(whole: Image.Image, ax: Axes, name: str) -> str:
    """Cut the axes with its lettering out of the whole figure."""
    left, bottom, right, top = ax.get_tightbbox().padded(_PAD).extents
    buffer = BytesIO()
    piece = whole.crop((left, whole.height - top, right, whole.height - bottom))
    piece.save(buffer, _FORMAT, quality=_QUALITY)
    content = b64encode(buffer.getvalue()).decode("ascii")
    what = ax.get_title() or " ".join(ax.get_ylabel().split())
    alt = escape(f"{name}: {what}" if what else name)
    return f'<img alt="{alt}" src="data:image/webp;base64,{content}">'
