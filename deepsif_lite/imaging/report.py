"""Write a source image in every form one may want to open."""

from __future__ import annotations

from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from .. import __version__
from ..figures.style import method_name, plain_text
from ..paths import full_disk_named
from .evidence import Evidence, window_behind
from .report_page import page, section, views
from .source_image import _AROUND_PEAK

if TYPE_CHECKING:
    import mne
    import pandas as pd
    from matplotlib.figure import Figure

    from .source_image import SourceImage
    from .trust import Trust

_N_ROWS = 25  # regions listed in the HTML report; the CSV lists all
_LEFT_OUT = ["x_mm", "y_mm", "z_mm"]  # on the page; MNI152 says the same
_DPI = 150
_MAP = "Cortex at the peak"
_SURE = "Probability of being active at any time"


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
        ``-probability.png`` where the image has one, ``-cortex.html`` (to turn and
        click) where it knows its electrodes, and ``-report.html``.
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
    image.to_stc().save(start, overwrite=True, verbose="error")
    table = image.to_table()
    csv, html = _beside(start, "-regions.csv"), _beside(start, "-report.html")
    table.round(4).to_csv(csv, index=False)
    title = f"{plain_text(start.name)}, {1e3 * image.peak.time:.0f} ms"
    figures = {".png": image.plot(title=title)[0]}
    if image.probability is not None:
        figures["-probability.png"] = _draw_probability(image)
    pictures = [_beside(start, ending) for ending in figures]
    for fig, path in zip(figures.values(), pictures, strict=True):
        fig.savefig(path, dpi=_DPI)
    sections = _sections(image, evoked, table, *figures.values())
    _close(*figures.values())
    html.write_text(page(f"Source image: {start.name}", sections), encoding="utf-8")
    halves = [_beside(start, f"-{hemisphere}.stc") for hemisphere in ("lh", "rh")]
    return [*halves, csv, *pictures, *_write_explorer(image, start), html]


def _write_explorer(image: SourceImage, start: Path) -> list[Path]:
    """Write the maps on a cortex to turn, which shows scalp maps of regions, too."""
    from ..figures.explorer import explore_cortex

    if not isinstance(image.evidence, Evidence):
        return []
    at = image.peak.time
    maps = {_MAP: (image.map(at - _AROUND_PEAK, at + _AROUND_PEAK), image.unit)}
    if image.probability is not None:
        maps[_SURE] = (image.probability, "probability")
    shown = explore_cortex(image.evidence.head, maps, chosen=image.peak.region)
    path = _beside(start, "-cortex.html")
    path.write_text(shown.html, encoding="utf-8")
    return [path]


def _sections(
    image: SourceImage,
    evoked: mne.Evoked,
    table: pd.DataFrame,
    at_peak: Figure,
    sure: Figure | None = None,
) -> list[str]:
    """Return the sections of the report, in HTML."""
    found = [section("Summary", _summary(image, table), views(at_peak, _MAP, "cortex"))]
    if sure is not None and image.probability is not None:
        note = (
            f"{len(image.extent(of='probability'))} regions are more likely active than "
            f"not; the surest has {image.probability.max():.0%}. Where there are none, "
            "the map at the peak may show mere background."
        )
        found.append(section("How sure", note, views(sure, _SURE, "cortex")))
    if image.trust is not None:
        note = (
            f"{image.trust.verdict.capitalize()}. Limits come from simulated "
            "recordings."
        )
        found.append(section("How far to trust it", note, _trust_table(image.trust)))
    rows = f'<div class="table regions">{_on_the_page(table)}</div>'
    note = "All are in the table of regions beside this page."
    eeg, about = _draw_eeg(image, evoked)
    found += [
        section(f"The {_N_ROWS} strongest regions", note, rows),
        section("EEG", about, views(eeg, "EEG", "eeg")),
    ]
    _close(eeg)
    return found


def _summary(image: SourceImage, table: pd.DataFrame) -> str:
    first, last = 1e3 * image.times[[0, -1]]
    return (
        f"{method_name(image.method)}, deepsif_lite {__version__}, of the window from "
        f"{first:.0f} to {last:.0f} ms. Drawn: the 20 ms around the peak at "
        f"{1e3 * image.peak.time:.0f} ms ({image.unit}), the extent outlined: "
        f"{int(table['in_extent'].sum())} of {len(table)} regions (Otsu). Research "
        "software, not a medical device."
    )


def _draw_probability(image: SourceImage) -> Figure:
    from ..figures.cortex_maps import plot_cortex

    scale = {"vmin": 0, "vmax": 1, "label": "probability"}
    return plot_cortex(image.probability, image.cortex, **scale)[0]


def _on_the_page(table: pd.DataFrame) -> str:
    """Return the first rows as HTML, in numbers short enough for a phone."""
    shown = table.head(_N_ROWS).drop(columns=_LEFT_OUT)
    whole = [name for name in shown if name.endswith(("_mm", "_mm2"))]
    shown[whole] = shown[whole].round().astype(int)
    shown["peak_time_s"] = (1e3 * shown["peak_time_s"]).round().astype(int)
    shown["in_extent"] = shown["in_extent"].map({True: "yes", False: "no"})
    names = {name: name.replace("_mm2", " (mm²)").replace("_mm", "") for name in whole}
    names |= {"mni_x_mm": "MNI x (mm)", "mni_y_mm": "y", "mni_z_mm": "z"}
    names |= {"peak_time_s": "at (ms)", "in_extent": "in extent"}
    names |= {"hemisphere": "side", "probability": "prob."}
    return shown.rename(columns=names).round(2).to_html(index=False, border=0)


def _trust_table(trust: Trust) -> str:
    """Return a table of what the data say, the meaning of each number beside it."""
    rows = (
        "".join(f"<td>{escape(cell)}</td>" for cell in (*line[:3], line.meaning))
        for line in trust.lines
    )
    table = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="table"><table>{table}</table></div>'


def _draw_eeg(image: SourceImage, evoked: mne.Evoked) -> tuple[Figure, str]:
    """Return the channels over each other and the scalp map at the peak, and a note.

    What was imaged is drawn, on the electrodes that names stood for; where the image
    does not know it, the recording's good channels without a map.
    """
    from ..figures.sensors import plot_butterfly, plot_evoked

    good = evoked.copy().pick("eeg", exclude="bads")
    average = f"average of {evoked.nave}, {len(good.ch_names)} channels"
    left_out = ", ".join(evoked.info["bads"]) or "none"
    note = f"{evoked.comment or 'EEG'} ({average}; bad: {left_out})."
    imaged = _imaged(image)
    if imaged is None:
        data = 1e6 * good.data.T
        return plot_butterfly(data, good.times, ylabel="EEG (µV)")[0], note
    note += " As it was imaged; the line marks the image's peak, which the map shows."
    return plot_evoked(imaged, image.peak.time)[0], note


def _imaged(image: SourceImage) -> mne.Evoked | None:
    """Return the window behind an image."""
    import mne

    behind = window_behind(image)
    if behind is None:
        return None
    start = float(image.times[0])
    return mne.EvokedArray(behind.eeg.T, behind.head.info, start, verbose="error")


def _beside(start: Path, ending: str) -> Path:
    return start.with_name(start.name + ending)


def _close(*figures: Figure) -> None:
    import matplotlib.pyplot as plt

    for fig in figures:
        plt.close(fig)
