"""Write a source image in every form one may want to open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mne
    from matplotlib.figure import Figure

    from ..imaging.source_image import SourceImage


_N_ROWS = 25  # regions listed in the HTML report; the CSV lists all


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
        Start of the file names.

    Returns
    -------
    list of pathlib.Path
        ``-lh.stc`` and ``-rh.stc`` (fsaverage5), ``-regions.csv``, ``.png``,
        ``-probability.png`` where the image has one, and ``-report.html``.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    start = folder / stem
    image.to_stc().save(start, overwrite=True, verbose="error")
    table = image.to_table()
    csv = folder / f"{stem}-regions.csv"
    table.round(4).to_csv(csv, index=False)
    peak = image.peak
    fig, _ = image.plot(title=f"{stem}, {1e3 * peak.time:.0f} ms")
    png = _save(fig, folder / f"{stem}.png")
    written = [*(folder / f"{stem}-{hemi}.stc" for hemi in ("lh", "rh")), csv, png]
    sure = None
    if image.probability is not None:
        sure = _write_probability(image, folder / f"{stem}-probability.png")
        written.append(sure)
    html = folder / f"{stem}-report.html"
    _write_report(image, evoked, table, png, sure, html)
    return [*written, html]


def _write_report(image, evoked, table, png, sure: Path | None, path: Path) -> None:
    import matplotlib.pyplot as plt
    import mne

    report = mne.Report(title=f"Source image: {path.stem}", verbose="error")
    note = (
        f"<p>Method: {image.method}. Values: {image.unit}. "
        f"{int(table['in_extent'].sum())} of {len(table)} regions are in the extent "
        "(Otsu). Research software, not a medical device.</p>"
    )
    report.add_html(note, title="Summary")
    report.add_image(png, title="Cortex at the peak")
    if sure is not None:
        likely = image.extent(of="probability")
        note = (
            f"<p>{len(likely)} regions are more likely active than not; the surest has "
            f"{image.probability.max():.0%}. Where there are none, the map at the peak "
            "may show mere background.</p>"
        )
        report.add_html(note, title="How sure")
        report.add_image(sure, title="Probability of being active at any time")
    rows = table.head(_N_ROWS).round(2)
    html = rows.to_html(index=False, border=0, classes="table table-sm")
    report.add_html(html, title=f"The {_N_ROWS} strongest regions")
    sensors = evoked.copy().pick("eeg").plot(spatial_colors=False, show=False)
    report.add_figure(sensors, title="EEG")
    plt.close(sensors)
    report.save(path, overwrite=True, open_browser=False, verbose="error")


def _write_probability(image: SourceImage, path: Path) -> Path:
    from ..figures import plot_cortex

    fig, _ = plot_cortex(
        image.probability, image.cortex, vmin=0, vmax=1, label="probability"
    )
    return _save(fig, path)


def _save(fig: Figure, path: Path) -> Path:
    import matplotlib.pyplot as plt

    fig.savefig(path, dpi=150)
    plt.close(fig)
    return path
