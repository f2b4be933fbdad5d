"""Read patients from a BIDS dataset or one of its derivatives, by MNE-BIDS.

Of a subject's files the first of these that is there is taken: epochs (``_epo.fif``), an
average (``_ave.fif``), a recording (``_eeg`` of any format of BIDS) whose events mark the
spikes. What is known besides lies in the subject's folder under the names of
:mod:`~deepsif_lite.evaluation.reading`, such as ``resection.csv``; the age comes from
``participants.tsv``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .._lazy import import_optional
from ..errors import FileError
from .reading import facts_of, patient_of
from .steps import average_spikes

if TYPE_CHECKING:
    from types import ModuleType

    import mne
    import pandas as pd

    from ..cortex.surface import Cortex
    from .patient import Patient

_KINDS = ("epo", "ave", "eeg")  # suffixes, the more finished first
_SPAN = (-1.0, 0.5)  # s around a marked spike


def read_bids_patient(
    root: str | Path,
    subject: str,
    *,
    event: str = "spike",
    cortex: Cortex | None = None,
    **entities: str,
) -> Patient:
    """Read a patient of a BIDS dataset, or of a derivative of one.

    Parameters
    ----------
    root : str | path
        Of the dataset, or of the derivative.
    subject : str
        Label, without ``sub-``.
    event : str
        What marks a spike (``trial_type`` of the events) where a recording is read, or
        the condition where an average is.
    cortex : Cortex | None
        Regions of the resection; by default the template's.
    **entities : str
        Of the files, where there are several: ``task``, ``session``, ``run``,
        ``description`` and others that BIDS knows.

    Returns
    -------
    Patient

    Raises
    ------
    FileNotFoundError
        The dataset has no such files of the subject.
    FileError
        There are several, or no event marks a spike.
    ImportError
        MNE-BIDS is not installed: ``pip install 'deepsif-lite[bids]'``.
    """
    bids = import_optional("mne_bids", "bids", "Reading BIDS")
    root = Path(root)
    path = _only(_found(bids, root, subject, entities), root)
    spikes, evoked = _read(bids, path, event)
    person = f"sub-{subject}"
    facts = {"name": person} | _age(root, person) | facts_of(root / person)
    return patient_of(root / person, spikes, evoked, facts, cortex)


def _found(bids: ModuleType, root: Path, subject: str, entities: dict) -> list:
    """Return the files of the first kind that is there."""
    if not root.is_dir():
        msg = f"There is no folder {str(root)!r}."
        raise FileNotFoundError(msg)
    wanted = {f"{name}s": value for name, value in entities.items()}
    for kind in _KINDS:
        found = bids.find_matching_paths(
            root, subjects=subject, suffixes=kind, check=False, **wanted
        )
        found = [path for path in found if path.extension not in (".json", ".tsv")]
        if found:
            return found
    msg = (
        f"{root} has no files {', '.join(f'_{kind}' for kind in _KINDS)} of subject "
        f"{subject!r} and {entities or 'any task'}."
    )
    raise FileNotFoundError(msg)


def _only(found: Sequence, root: Path) -> object:
    names = sorted(path.basename for path in found)
    if len(names) > 1:
        msg = (
            f"{root.name} has several recordings: {names}; choose by entities (task=, "
            "session=, run=, description=)."
        )
        raise FileError(msg)
    return found[0]


def _read(
    bids: ModuleType, path, event: str
) -> tuple[mne.BaseEpochs | None, mne.Evoked]:
    import mne

    from ..recordings.files import read_evoked

    if path.suffix == "ave":
        several = len(mne.read_evokeds(path.fpath, verbose="error")) > 1
        return None, read_evoked(path.fpath, event if several else None)
    if path.suffix == "epo":
        spikes = mne.read_epochs(path.fpath, verbose="error")
    else:
        spikes = _epochs_of(bids.read_raw_bids(path, verbose="error"), path, event)
    return spikes, average_spikes(spikes)


def _epochs_of(raw: mne.io.BaseRaw, path, event: str) -> mne.BaseEpochs:
    import mne

    marks, codes = mne.events_from_annotations(raw, verbose="error")
    if event not in codes:
        msg = f"{path.basename} has no event {event!r}; its events are {list(codes)}."
        raise FileError(msg)
    return mne.Epochs(
        raw,
        marks,
        {event: codes[event]},
        *_SPAN,
        baseline=None,
        preload=True,
        verbose="error",
    )


def _age(root: Path, person: str) -> dict:
    """Return the age of a participant, of the derivative or of the dataset above it."""
    for folder in (root, *root.resolve().parents[:2]):
        path = folder / "participants.tsv"
        if path.is_file():
            return _row(path, person)
    return {}


def _row(path: Path, person: str) -> dict:
    import pandas as pd

    table: pd.DataFrame = pd.read_csv(path, sep="\t", dtype=str)
    if not {"participant_id", "age"} <= set(table):
        return {}
    ages = table.loc[table["participant_id"] == person, "age"]
    age = pd.to_numeric(ages, errors="coerce").dropna()
    return {"age": float(age.iloc[0])} if len(age) else {}
