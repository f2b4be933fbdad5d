"""Write a source image in every form one may want to open."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ..figures.style import plain_text
from ..paths import full_disk_named

if TYPE_CHECKING:
    import mne
    import pandas as pd
    from matplotlib.figure import Figure

    from .source_image import SourceImage
    from .trust import Trust

_N_ROWS = 25  # regions listed in the HTML report; the CSV lists all
_LEFT_OUT = ["x_mm", "y_mm", "z_mm"]  # on the page; MNI152 says the same
_DPI = 150
_CORTEX = "Cortex at the peak"
_TRUST = "How far to trust it"
_SURE = "Probability of being active at any time"
# Whole by itself: no script, nothing to load. (An mne.Report does no more with what is
# shown here, takes a second to import and adds a megabyte of scripts.)
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
img {{ max-width: 100% }}
.table {{ overflow-x: auto }}
table {{ border-collapse: collapse }}
th, td {{ padding: 0.2rem 0.8rem; text-align: right }}
tr:nth-child(even) {{ background: #f3f3f3 }}
td:last-child {{ text-align: left }}
@media (max-width: 40rem) {{
 body {{ margin: 1rem auto }}
 th, td {{ padding: 0.15rem 0.4rem; font-size: 0.8rem }}
}}
@media print {{
 @page {{ margin: 12mm }}
 body {{ margin: 0; max-width: none; font-size: 8.5pt }}
 h1 {{ font-size: 14pt; margin: 0 }}
 h2 {{ font-size: 11pt; margin: 2mm 0 1mm; break-after: avoid }}
 p {{ margin: 0 0 1mm }}
 img {{ max-height: 45mm; break-inside: avoid }}
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


def write_image(
    image: SourceImage, evoked: mne.Evoked, folder: str | Path, stem: str
) -> list[Path]:
    """Write a source image in every form one may want to open.

    Parameters
    ----------
    image : SourceImage
        What to write.
    evoked : mne.Evoked
        The recording behind it, for the report.
    folder : str | path
        Created where needed.
    stem : str
        Start of the file names; any text that a file name may hold.

    Returns
    -------
    list of pathlib.Path
        ``-lh.stc`` and ``-rh.stc`` (fsaverage5), ``-regions.csv``, ``.png``,
        ``-probability.png`` where the image has one, and ``-report.html``.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # All or nothing: a full disk in between leaves no half of a result behind.
    with (
        full_disk_named(folder / stem),
        TemporaryDirectory(dir=folder, prefix=".image-") as partial,
    ):
        written = _write_all(image, evoked, Path(partial) / stem)
        return [path.replace(folder / path.name) for path in written]


def _write_all(image: SourceImage, evoked: mne.Evoked, start: Path) -> list[Path]:
    from ..figures.cortex_maps import plot_cortex

    image.to_stc().save(start, overwrite=True, verbose="error")
    table = image.to_table()
    csv = _beside(start, "-regions.csv")
    table.round(4).to_csv(csv, index=False)
    title = f"{plain_text(start.name)}, {1e3 * image.peak.time:.0f} ms"
    pictures = {_CORTEX: _beside(start, ".png")}
    _save(image.plot(title=title)[0], pictures[_CORTEX])
    if image.probability is not None:
        fig, _ = plot_cortex(
            image.probability, image.cortex, vmin=0, vmax=1, label="probability"
        )
        pictures[_SURE] = _beside(start, "-probability.png")
        _save(fig, pictures[_SURE])
    html = _beside(start, "-report.html")
    _write_report(image, evoked, table, pictures, html)
    halves = [_beside(start, f"-{hemisphere}.stc") for hemisphere in ("lh", "rh")]
    return [*halves, csv, *pictures.values(), html]


def _write_report(
    image: SourceImage,
    evoked: mne.Evoked,
    table: pd.DataFrame,
    pictures: dict[str, Path],
    path: Path,
) -> None:
    sections = [
        _section(
            "Summary",
            f"Method: {image.method}. Values: {image.unit}. "
            f"{int(table['in_extent'].sum())} of {len(table)} regions are in the extent "
            "(Otsu). Research software, not a medical device.",
            _picture(_CORTEX, pictures[_CORTEX].read_bytes()),
        )
    ]
    if _SURE in pictures and image.probability is not None:
        note = (
            f"{len(image.extent(of='probability'))} regions are more likely active than "
            f"not; the surest has {image.probability.max():.0%}. Where there are none, "
            "the map at the peak may show mere background."
        )
        picture = _picture(_SURE, pictures[_SURE].read_bytes())
        sections.append(_section("How sure", note, picture))
    if image.trust is not None:
        note = (
            f"{image.trust.verdict.capitalize()}. Limits come from simulated "
            "recordings."
        )
        sections.append(_section(_TRUST, note, _trust_table(image.trust)))
    rows = f'<div class="table">{_on_the_page(table)}</div>'
    note = "All are in the table of regions beside this page."
    sections += [
        _section(f"The {_N_ROWS} strongest regions", note, rows),
        _section("EEG", evoked.comment, _picture("EEG", _draw_eeg(evoked))),
    ]
    title = escape(f"Source image: {path.stem.removesuffix('-report')}")
    page = _PAGE.format(title=title, sections="\n".join(sections))
    path.write_text(page, encoding="utf-8")


def _on_the_page(table: pd.DataFrame) -> str:
    """Return the first rows as HTML, in numbers short enough for a phone."""
    shown = table.head(_N_ROWS).drop(columns=_LEFT_OUT)
    whole = [name for name in shown if name.endswith(("_mm", "_mm2"))]
    shown[whole] = shown[whole].round().astype(int)
    shown["peak_time_s"] = (1e3 * shown["peak_time_s"]).round().astype(int)
    names = {name: name.replace("_mm2", " (mm²)").replace("_mm", "") for name in whole}
    names |= {"mni_x_mm": "MNI x (mm)", "mni_y_mm": "y", "mni_z_mm": "z"}
    names |= {"peak_time_s": "at (ms)", "in_extent": "in extent"}
    return shown.rename(columns=names).round(2).to_html(index=False, border=0)


def _trust_table(trust: Trust) -> str:
    """Return a table of what the data say, the meaning of each number beside it."""
    rows = (
        "".join(f"<td>{escape(cell)}</td>" for cell in (*line[:3], line.meaning))
        for line in trust.lines
    )
    table = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="table"><table>{table}</table></div>'


def _section(title: str, note: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>\n<p>{escape(note)}</p>\n{content}"


def _picture(name: str, png: bytes) -> str:
    """Return a picture that lies within the page."""
    content = b64encode(png).decode("ascii")
    return f'<img alt="{escape(name)}" src="data:image/png;base64,{content}">'


def _draw_eeg(evoked: mne.Evoked) -> bytes:
    """Return the good EEG channels over each other, as PNG."""
    from ..figures.sensors import plot_butterfly

    good = evoked.copy().pick("eeg", exclude="bads")
    fig, _ = plot_butterfly(1e6 * good.data.T, good.times, ylabel="EEG (µV)")
    buffer = BytesIO()
    _save(fig, buffer)
    return buffer.getvalue()


def _beside(start: Path, ending: str) -> Path:
    return start.with_name(start.name + ending)


def _save(fig: Figure, file: Path | BytesIO) -> None:
    import matplotlib.pyplot as plt

    fig.savefig(file, dpi=_DPI)
    plt.close(fig)
