"""Files: whatever MNE reads, and what nobody can."""

from __future__ import annotations

import gzip

import mne
import numpy as np
from contract.subject import (
    N_TIMES,
    SFREQ,
    clean,
    evoked,
    head,
    noise,
    renamed,
)
from contract.table import IMAGED, NOTICED, REFUSED, Row
from eeg_files import eeglab_fields, write_brainvision, write_edf, write_eeglab_v73
from scipy.io import savemat

WHOLE = {"tmin": 0.0, "tmax": (N_TIMES - 1) / SFREQ}


def _evoked(folder, name="a-ave.fif", change=None):
    given = evoked()
    if change:
        given = change(given)
    path = folder / "a-ave.fif"
    mne.write_evokeds(path, given, overwrite=True, verbose="error")
    if name.endswith(".gz"):
        (folder / name).write_bytes(gzip.compress(path.read_bytes()))
    elif name != path.name:
        path.rename(folder / name)
    return folder / name


def _two(given):
    given.comment = "target"
    other = given.copy()
    other.data = noise(1e-6, given.data.shape)
    other.comment = "standard"
    return [other, given]


def _same_name(given):
    pair = _two(given)
    pair[0].comment = pair[1].comment
    return pair


def _kind(given):
    given.kind = "standard_error"
    return given


def _epochs(folder, drop=False):
    data = clean()[None] * np.array([0.5, 1.0, 1.5])[:, None, None]
    epochs = mne.EpochsArray(data, head().info.copy(), verbose="error")
    if drop:
        epochs.drop([0, 1, 2], verbose="error")
    path = folder / "a-epo.fif"
    epochs.save(path, overwrite=True, verbose="error")
    return path


def _raw(folder, annotation=None):
    data = np.hstack([noise(1e-6, (75, N_TIMES)), clean(), noise(1e-6, (75, N_TIMES))])
    raw = mne.io.RawArray(data, head().info.copy(), verbose="error")
    if annotation:
        raw.set_annotations(mne.Annotations(1.6, 0.1, annotation))
    path = folder / "a_raw.fif"
    raw.save(path, overwrite=True, verbose="error")
    return path


def _edf(folder, name, kind="", data=None, names=None):
    data = 1e6 * (clean() if data is None else data)
    write_edf(folder / name, data, names or head().ch_names, SFREQ, kind)
    return folder / name


def _brainvision(folder, name="a.vhdr"):
    write_brainvision(folder / "a.vhdr", 1e6 * clean(), head().ch_names, SFREQ)
    return folder / name


UNITS = {"V": 1.0, "mV": 1e3, "nV": 1e9}


def _brainvision_in(folder, unit):
    path = folder / "a.vhdr"
    write_brainvision(path, UNITS[unit] * clean(), head().ch_names, SFREQ)
    path.write_text(path.read_text().replace(",1,uV", f",1,{unit}"))
    return path


def _no_records(folder):
    path = _edf(folder, "a.edf")
    path.write_bytes(path.read_bytes()[: 256 * 76])
    return path


def _eeglab(folder, name="a.set", trials=False, inside=False, apart=False):
    data = 1e6 * clean()
    if trials:
        data = np.stack([0.5 * data, data, 1.5 * data], axis=2)
    fields = eeglab_fields(data, head().ch_names, SFREQ)
    if apart:
        (folder / "a.fdt").write_bytes(data.T.astype("<f4").tobytes())
        fields |= {"data": "a.fdt", "datfile": "a.fdt"}
    content = {"EEG": fields} if inside else fields
    savemat(folder / name, content, appendmat=False, oned_as="row")
    return folder / name


def _v73(folder):
    path = folder / "a.set"
    write_eeglab_v73(path, eeglab_fields(1e6 * clean(), head().ch_names, SFREQ))
    return path


def _bytes(folder, name, content=b"no EEG at all\n" * 40):
    path = folder / name
    path.write_bytes(content)
    return path


def _cut(folder):
    path = _evoked(folder)
    path.write_bytes(path.read_bytes()[:200])
    return path


def _trans(folder):
    path = folder / "a-trans.fif"
    trans = mne.transforms.Transform("head", "mri")
    mne.write_trans(path, trans, overwrite=True)
    return path


def _old_edf(folder):
    names = renamed(lambda n: f"EEG {n.upper()}-REF").ch_names
    return _edf(folder, "a.edf", names=names)


def _row(text, make, verdict, says="", **options):
    return Row("files", text, make, verdict, says, options)


ROWS = [
    _row("evoked .fif", _evoked, IMAGED),
    _row("evoked .fif.gz", lambda f: _evoked(f, "a-ave.fif.gz"), IMAGED),
    _row("evoked .FIF", lambda f: _evoked(f, "A-AVE.FIF"), IMAGED),
    _row(
        "evoked .fif, one of two conditions by name",
        lambda f: _evoked(f, change=_two),
        IMAGED,
        condition="target",
    ),
    _row(
        "evoked .fif, one of two conditions by number",
        lambda f: _evoked(f, change=_two),
        IMAGED,
        condition="1",
    ),
    _row(
        "evoked .fif of two conditions, none chosen",
        lambda f: _evoked(f, change=_two),
        REFUSED,
        "OptionError",
    ),
    _row(
        "evoked .fif of two conditions of one name",
        lambda f: _evoked(f, change=_same_name),
        REFUSED,
        "OptionError",
        condition="target",
    ),
    _row(
        "evoked .fif, a condition that is no plain number (²)",
        lambda f: _evoked(f, change=_two),
        REFUSED,
        "OptionError",
        condition="²",
    ),
    _row(
        "evoked .fif that holds a standard error",
        lambda f: _evoked(f, change=_kind),
        NOTICED,
        "not an average",
    ),
    _row("epochs .fif, averaged", _epochs, IMAGED),
    _row(
        "epochs .fif of which all were rejected",
        lambda f: _epochs(f, drop=True),
        REFUSED,
        "FileError",
    ),
    _row(
        "epochs .fif, a condition that it has not",
        _epochs,
        REFUSED,
        "OptionError",
        condition="novel",
    ),
    _row("raw .fif, a window", _raw, IMAGED, tmin=1.0, tmax=1.998),
    Row(
        "files",
        "raw .fif, a window, a baseline before it",
        _raw,
        IMAGED,
        options={"tmin": 1.2, "tmax": 1.8, "baseline": (0.0, 0.5)},
        methods=("sloreta",),
    ),
    _row("raw .fif without a window", _raw, REFUSED, "WindowError"),
    _row(
        "raw .fif, a condition",
        _raw,
        REFUSED,
        "OptionError",
        condition="target",
        tmin=1.0,
        tmax=1.998,
    ),
    _row(
        "raw .fif, annotated BAD within the window",
        lambda f: _raw(f, "BAD_blink"),
        NOTICED,
        "BAD_blink",
        tmin=1.0,
        tmax=1.998,
    ),
    _row(
        "raw .fif, annotated otherwise",
        lambda f: _raw(f, "stimulus"),
        IMAGED,
        tmin=1.0,
        tmax=1.998,
    ),
    _row("EDF", lambda f: _edf(f, "a.edf"), IMAGED, **WHOLE),
    _row(
        "EDF with its ending in capitals", lambda f: _edf(f, "A.EDF"), IMAGED, **WHOLE
    ),
    _row("EDF, channels as EEG FP1-REF", _old_edf, IMAGED, **WHOLE),
    _row(
        "EDF+D, which may have gaps",
        lambda f: _edf(f, "a.edf", "EDF+D"),
        NOTICED,
        "gaps",
        **WHOLE,
    ),
    _row("EDF, its header alone", _no_records, REFUSED, "FileError", **WHOLE),
    _row(
        "EDF named .bdf",
        lambda f: _edf(f, "a.edf").rename(f / "a.bdf"),
        REFUSED,
        "FileError",
        **WHOLE,
    ),
    _row(
        "EDF that cuts off what exceeds its range",
        lambda f: _edf(f, "a.edf", data=np.clip(3 * clean(), -1e-4, 1e-4)),
        NOTICED,
        "cut off at their largest",
        **WHOLE,
    ),
    _row("BDF", lambda f: _edf(f, "a.bdf"), IMAGED, **WHOLE),
    _row("BrainVision .vhdr", _brainvision, IMAGED, **WHOLE),
    *(
        _row(
            f"BrainVision in {unit}",
            lambda f, unit=unit: _brainvision_in(f, unit),
            IMAGED,
            **WHOLE,
        )
        for unit in UNITS
    ),
    _row(
        "BrainVision, its .eeg missing",
        lambda f: (_brainvision(f), (f / "a.eeg").unlink())[0],
        REFUSED,
        "FileError",
        **WHOLE,
    ),
    _row(
        "BrainVision, its .eeg empty",
        lambda f: (_brainvision(f), (f / "a.eeg").write_bytes(b""))[0],
        REFUSED,
        "FileError",
        **WHOLE,
    ),
    _row(
        "BrainVision, .eeg instead of .vhdr",
        lambda f: _brainvision(f) and f / "a.eeg",
        REFUSED,
        "FileError",
        **WHOLE,
    ),
    _row("EEGLAB .set, continuous", _eeglab, IMAGED, **WHOLE),
    _row(
        "EEGLAB .set, continuous, in a structure",
        lambda f: _eeglab(f, inside=True),
        IMAGED,
        **WHOLE,
    ),
    _row("EEGLAB .set, epochs", lambda f: _eeglab(f, trials=True), IMAGED),
    _row(
        "EEGLAB .set, epochs, in a structure",
        lambda f: _eeglab(f, trials=True, inside=True),
        IMAGED,
    ),
    _row(
        "EEGLAB .set with its .fdt", lambda f: _eeglab(f, apart=True), IMAGED, **WHOLE
    ),
    _row(
        "EEGLAB .set of MATLAB v7.3 without names",
        _v73,
        REFUSED,
        "ChannelError",
        **WHOLE,
    ),
    _row("no such file", lambda f: f / "none.fif", REFUSED, "FileNotFoundError"),
    _row("an empty .fif", lambda f: _bytes(f, "a-ave.fif", b""), REFUSED, "FileError"),
    _row("a .fif cut short", _cut, REFUSED, "FileError"),
    _row("a .fif that holds a transform", _trans, REFUSED, "FileError"),
    *(
        _row(
            f"text named .{end}",
            lambda f, end=end: _bytes(f, f"a.{end}"),
            REFUSED,
            "FileError",
            **WHOLE,
        )
        for end in ("edf", "bdf", "set", "vhdr", "mat", "cnt", "csv", "data")
    ),
    _row(
        "BrainVision without Cz, and a window",
        lambda f: _without_cz(f),
        IMAGED,
        **WHOLE,
    ),
]


def _without_cz(folder):
    given = evoked().drop_channels(["Cz"])
    path = folder / "b.vhdr"
    write_brainvision(path, 1e6 * given.data, given.ch_names, SFREQ)
    return path
