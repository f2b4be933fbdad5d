"""Write a source image in every form one may want to open."""

from __future__ import annotations

from html import escape
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

_N_ROWS = 25  # regions listed in the HTML report; the CSV lists all
_DPI = 150
_CORTEX = "Cortex at the peak"
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
    folder : str or path
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
    pictures = {_CORTEX: _save(image.plot(title=title)[0], _beside(start, ".png"))}
    if image.probability is not None:
        fig, _ = plot_cortex(
            image.probability, image.cortex, vmin=0, vmax=1, label="probability"
        )
        pictures[_SURE] = _save(fig, _beside(start, "-probability.png"))
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
    import matplotlib.pyplot as plt
    import mne

    report = mne.Report(title=f"Source image: {path.stem}", verbose="error")
    _add(
        report,
        "Summary",
        f"Method: {image.method}. Values: {image.unit}. "
        f"{int(table['in_extent'].sum())} of {len(table)} regions are in the extent "
        "(Otsu). Research software, not a medical device.",
        (_CORTEX, pictures[_CORTEX]),
    )
    if _SURE in pictures and image.probability is not None:
        _add(
            report,
            "How sure",
            f"{len(image.extent(of='probability'))} regions are more likely active than "
            f"not; the surest has {image.probability.max():.0%}. Where there are none, "
            "the map at the peak may show mere background.",
            (_SURE, pictures[_SURE]),
        )
    rows = table.head(_N_ROWS).round(2)
    html = rows.to_html(index=False, border=0, classes="table table-sm")
    report.add_html(html, title=f"The {_N_ROWS} strongest regions")
    sensors = evoked.copy().pick("eeg").plot(spatial_colors=False, show=False)
    report.add_figure(sensors, title="EEG")
    plt.close(sensors)
    report.save(path, overwrite=True, open_browser=False, verbose="error")


def _add(report: mne.Report, title: str, note: str, picture: tuple[str, Path]) -> None:
    """Add a note, and the picture that it speaks of."""
    report.add_html(f"<p>{escape(note)}</p>", title=title)
    name, path = picture
    report.add_image(path, title=name)


def _beside(start: Path, ending: str) -> Path:
    return start.with_name(start.name + ending)


def _save(fig: Figure, path: Path) -> Path:
    import matplotlib.pyplot as plt

    fig.savefig(path, dpi=_DPI)
    plt.close(fig)
    return path
