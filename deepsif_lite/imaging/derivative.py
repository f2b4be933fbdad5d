"""Source images for other programs: region courses, EEGLAB, a BIDS derivative."""

from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from .. import __version__
from ..errors import OptionError
from ..paths import whole_file
from .report import write_image

if TYPE_CHECKING:
    import mne

    from .source_image import SourceImage

_BIDS = "1.9.0"
# Endings of write_image, and those that BIDS allows.
_NAMES = {
    "-regions.csv": "_regions.tsv",
    ".png": "_map.png",
    "-probability.png": "_probability.png",
    "-cortex.html": "_cortex.html",
    "-report.html": "_report.html",
}
_LABEL = re.compile(r"[0-9a-zA-Z]+")


def write_courses(image: SourceImage, path: str | Path) -> Path:
    """Write the time course of every region.

    Parameters
    ----------
    image : SourceImage
    path : str | path
        Ends in ``.csv`` or ``.tsv``: a column ``time`` (s), then one a region; or in
        ``.set``: a dataset for EEGLAB, each region a channel with its place.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OptionError
        The ending is another.
    """
    path = Path(path)
    writers = {".csv": _write_table, ".tsv": _write_table, ".set": _write_eeglab}
    if path.suffix not in writers:
        msg = f"path={path.name!r}: the ending must be one of {list(writers)}."
        raise OptionError(msg)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        writers[path.suffix](image, partial, path)
    return path


def region_labels(image: SourceImage) -> list[str]:
    """Return a name for each region: hemisphere and number, as ``lh-0123``."""
    sides = image.cortex.hemisphere
    return [f"{side}-{number:04d}" for number, side in enumerate(sides)]


def _write_table(image: SourceImage, file: Path, path: Path) -> None:
    import pandas as pd

    table = pd.DataFrame(image.activity.T, columns=region_labels(image))
    table.insert(0, "time", image.times)
    separator = "\t" if path.suffix == ".tsv" else ","
    table.to_csv(file, sep=separator, index=False, float_format="%.6g")


def _write_eeglab(image: SourceImage, file: Path, path: Path) -> None:
    from scipy.io import savemat

    # EEGLAB's axes: x to the nose, y to the left.
    right, front, up = 1e3 * image.cortex.centroids.T
    columns = zip(region_labels(image), front, -right, up, strict=True)
    kind = [("labels", object), ("X", object), ("Y", object), ("Z", object)]
    places = np.array([tuple(row) for row in columns], dtype=kind)
    n_regions, n_times = image.activity.shape
    dataset = {
        "setname": path.stem,
        "nbchan": float(n_regions),
        "trials": 1.0,
        "pnts": float(n_times),
        "srate": float(image.sfreq),
        "xmin": float(image.times[0]),
        "xmax": float(image.times[-1]),
        "times": 1e3 * image.times,
        "data": image.activity.astype(np.float32),
        "chanlocs": places[None],
        "event": np.zeros((0, 0)),
        "epoch": np.zeros((0, 0)),
        "icawinv": np.zeros((0, 0)),
        "icasphere": np.zeros((0, 0)),
        "icaweights": np.zeros((0, 0)),
        "icaact": np.zeros((0, 0)),
        "comments": f"deepsif_lite, {image.method}, {image.unit}",
    }
    with file.open("wb") as stream:
        savemat(stream, {"EEG": dataset}, appendmat=False)


def write_derivative(
    image: SourceImage,
    evoked: mne.Evoked,
    root: str | Path,
    *,
    subject: str,
    task: str,
) -> list[Path]:
    """Write a source image as a derivative of a BIDS dataset.

    Parameters
    ----------
    image : SourceImage
    evoked : mne.Evoked
        The recording behind it, for the report.
    root : str | path
        Of the derivative, such as ``dataset/derivatives/deepsif_lite``. Subjects
        share its ``dataset_description.json``.
    subject, task : str
        Labels, letters and digits alone.

    Returns
    -------
    list of pathlib.Path
        In ``sub-<subject>/eeg``, after entities of BIDS: ``_regions.tsv``,
        ``_map.png``, ``_probability.png`` and ``_cortex.html`` where there are,
        ``_report.html``, ``_timeseries.tsv`` with its ``.json``. In ``sub-<subject>/stc``, for BIDS has
        no names for hemispheres as MNE writes them, ``<task>-<method>-lh.stc`` and
        ``-rh.stc``. And ``dataset_description.json``.

    Raises
    ------
    OptionError
        A label holds something else.
    """
    for name, label in (("subject", subject), ("task", task)):
        if not _LABEL.fullmatch(label):
            msg = f"{name}={label!r} must be letters and digits alone, as BIDS asks."
            raise OptionError(msg)
    root = Path(root)
    folder = root / f"sub-{subject}" / "eeg"
    method = image.method.replace("-", "")
    stem = f"sub-{subject}_task-{task}_desc-{method}"
    estimate = folder.parent / "stc" / f"{task}-{method}"
    written = _write_image(image, evoked, folder / stem, estimate)
    written.append(write_courses(image, folder / f"{stem}_timeseries.tsv"))
    sidecar = folder / f"{stem}_timeseries.json"
    _write_json(sidecar, _about(image))
    description = root / "dataset_description.json"
    if not description.is_file():
        _write_json(description, _describe())
    return [*written, sidecar, description]


def _write_image(
    image: SourceImage, evoked: mne.Evoked, start: Path, estimate: Path
) -> list[Path]:
    """Write what :func:`write_image` does, under names that BIDS allows.

    Names begin with ``start``, those of the source estimate with ``estimate``.
    """
    for path in (start, estimate):
        path.parent.mkdir(parents=True, exist_ok=True)
    written = []
    with TemporaryDirectory(dir=start.parent, prefix=".image-") as partial:
        for path in write_image(image, evoked, partial, start.name):
            ending = path.name.removeprefix(start.name)
            if path.suffix == ".csv":
                _commas_to_tabs(path)
            is_stc = path.suffix == ".stc"
            new = f"{estimate}{ending}" if is_stc else f"{start}{_NAMES[ending]}"
            written.append(path.replace(new))
    return written


def _commas_to_tabs(path: Path) -> None:
    import pandas as pd

    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.replace("", "n/a").to_csv(path, sep="\t", index=False)


def _about(image: SourceImage) -> dict:
    """Return what the columns of the time series are."""
    return {
        "Description": "Activity of regions of fsaverage5 over time",
        "Method": image.method,
        "Units": image.unit,
        "SamplingFrequency": float(image.sfreq),
        "Trust": None if image.trust is None else image.trust.summary,
        "Regions": "lh or rh and number; places are in the table of regions",
    }


def _describe() -> dict:
    return {
        "Name": "Source images by deepsif_lite",
        "BIDSVersion": _BIDS,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "deepsif_lite", "Version": __version__}],
    }


def _write_json(path: Path, content: dict) -> None:
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
