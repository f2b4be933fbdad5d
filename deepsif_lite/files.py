"""Read EEG from files of any kind that MNE knows, and write source images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mne
    from matplotlib.figure import Figure

    from .source_image import SourceImage

_N_ROWS = 25  # regions listed in the HTML report; the CSV lists all


def read_evoked(
    path: str | Path,
    condition: str | int | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
) -> mne.Evoked:
    """Read an evoked response, average epochs, or cut a window from a raw recording.

    Parameters
    ----------
    path : str or path
        Any file that MNE reads.
    condition : str or int, optional
        Which evoked response of the file, or which event of its epochs. It may be
        left out where there is only one evoked response, and for all epochs.
    tmin, tmax : float, optional
        Window, s. A raw recording needs both.

    Returns
    -------
    mne.Evoked

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The condition or the window is missing, or does not exist in the file.
    """
    path = Path(path)
    if not path.exists():
        msg = f"There is no file {str(path)!r}."
        raise FileNotFoundError(msg)
    kind = _kind(path)
    if kind == "evoked":
        evoked = _choose_evoked(path, condition)
    elif kind == "epochs":
        evoked = _average_epochs(path, condition)
    else:
        evoked = _window_of_raw(path, tmin, tmax)
    return evoked.crop(tmin, tmax, verbose="error")


def _kind(path: Path) -> str:
    import mne

    if path.name.endswith((".fif", ".fif.gz")):
        return mne.what(path)
    if path.suffix == ".set":
        from scipy.io import whosmat

        return "epochs" if "epoch" in str(whosmat(path)) else "raw"
    return "raw"


def _choose_evoked(path: Path, condition: str | int | None) -> mne.Evoked:
    import mne

    responses = mne.read_evokeds(path, verbose="error")
    names = [evoked.comment for evoked in responses]
    if condition is None and len(responses) == 1:
        return responses[0]
    if str(condition) in names:
        return responses[names.index(str(condition))]
    if str(condition).isdigit() and int(condition) < len(responses):
        return responses[int(condition)]
    msg = (
        f"condition is {condition!r}; {path.name} holds {names} (a name, or a number "
        "from 0)."
    )
    raise ValueError(msg)


def _average_epochs(path: Path, condition: str | int | None) -> mne.Evoked:
    import mne

    read = mne.read_epochs_eeglab if path.suffix == ".set" else mne.read_epochs
    epochs = read(path, verbose="error")
    if condition is None:
        return epochs.average()
    if str(condition) not in epochs.event_id:
        msg = f"condition is {condition!r}; {path.name} holds {list(epochs.event_id)}."
        raise ValueError(msg)
    return epochs[str(condition)].average()


def _window_of_raw(path: Path, tmin: float | None, tmax: float | None) -> mne.Evoked:
    import mne

    raw = mne.io.read_raw(path, verbose="error")
    if tmin is None or tmax is None:
        msg = (
            f"{path.name} is a raw recording of {raw.times[-1]:.1f} s: give tmin and "
            "tmax, a window of about one second around the event."
        )
        raise ValueError(msg)
    if not 0 <= tmin < tmax <= raw.times[-1]:
        msg = (
            f"tmin={tmin}, tmax={tmax} s do not lie within 0 to {raw.times[-1]:.1f} s."
        )
        raise ValueError(msg)
    part = raw.crop(tmin, tmax).load_data(verbose="error")
    return mne.EvokedArray(
        part.get_data(), part.info, tmin=tmin, comment="window", verbose="error"
    )


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
    from .figures import plot_cortex

    fig, _ = plot_cortex(
        image.probability, image.cortex, vmin=0, vmax=1, label="probability"
    )
    return _save(fig, path)


def _save(fig: Figure, path: Path) -> Path:
    import matplotlib.pyplot as plt

    fig.savefig(path, dpi=150)
    plt.close(fig)
    return path
