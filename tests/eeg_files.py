"""EEG in files of several formats, byte by byte, for tests of how they are read."""

from __future__ import annotations

import numpy as np


def write_edf(path, data, names, sfreq, kind="", span=100, unit="uV", others=()):
    """Write EEG as EDF or BDF, records of one second; kind: what the header says.

    Each of ``others`` is a channel of another kind: its name, and the bytes of each
    record.
    """
    width, top = (3, 2**23 - 1) if path.suffix.lower() == ".bdf" else (2, 2**15 - 1)
    n, more = len(data), len(others)
    start = b"\xffBIOSEMI" if width == 3 else b"0".ljust(8)
    fixed = [("X", 80), ("X", 80), ("01.01.20", 8), ("00.00.00", 8)]
    fixed += [(256 * (n + more + 1), 8), (kind, 44)]
    fixed += [(data.shape[1] // sfreq, 8), (1, 8), (n + more, 4)]
    lengths = [len(records[0]) // width for _, records in others]
    columns = [([*names, *(name for name, _ in others)], 16), ([""] * (n + more), 80)]
    columns += [([unit] * n + [""] * more, 8)]
    columns += [([f"{sign * span:g}"] * n + [sign] * more, 8) for sign in (-1, 1)]
    columns += [([sign * top] * (n + more), 8) for sign in (-1, 1)]
    columns += [([""] * (n + more), 80), ([sfreq] * n + lengths, 8)]
    columns += [([""] * (n + more), 32)]
    fields = fixed + [(value, size) for values, size in columns for value in values]
    header = start + b"".join(str(v).encode("latin-1").ljust(s) for v, s in fields)
    digital = np.round(data.reshape(n, -1, sfreq) / span * top).astype("<i4")
    with path.open("wb") as file:
        file.write(header)
        for record in range(digital.shape[1]):
            samples = digital[:, record].reshape(-1, 1).view(np.uint8)[:, :width]
            file.write(samples.tobytes())
            file.writelines(records[record] for _, records in others)


def annotations(texts, length=120):
    """Return the channel of EDF+ that holds a text each record, for ``write_edf``."""
    lines = [f"+{k}\x14\x14\0{text}" for k, text in enumerate(texts)]
    return "EDF Annotations", [line.encode().ljust(length, b"\0") for line in lines]


def write_brainvision(path, data, names, sfreq, marks=()):
    """Write uV as the three files of BrainVision; path: of the header."""
    stem = path.stem
    channels = [f"Ch{i + 1}={name},,1,uV" for i, name in enumerate(names)]
    header = [
        "Brain Vision Data Exchange Header File Version 1.0",
        "[Common Infos]",
        f"DataFile={stem}.eeg",
        f"MarkerFile={stem}.vmrk",
        "DataFormat=BINARY",
        "DataOrientation=MULTIPLEXED",
        f"NumberOfChannels={len(names)}",
        f"SamplingInterval={1e6 / sfreq:g}",
        "[Binary Infos]",
        "BinaryFormat=IEEE_FLOAT_32",
        "[Channel Infos]",
        *channels,
    ]
    markers = ["Brain Vision Data Exchange Marker File, Version 1.0", "[Common Infos]"]
    markers += [f"DataFile={stem}.eeg", "[Marker Infos]"]
    markers += ["Mk1=New Segment,,1,1,0,20200101000000000000", *marks]
    path.write_text("\n".join(header) + "\n")
    path.with_suffix(".vmrk").write_text("\n".join(markers) + "\n")
    path.with_suffix(".eeg").write_bytes(data.T.astype("<f4").tobytes())


def eeglab_fields(data, names, sfreq):
    """Return the fields of EEGLAB's EEG structure; uV, trials on the last axis."""
    n_times, n_trials = data.shape[1], (data.shape[2] if data.ndim == 3 else 1)
    fields = {"setname": "", "nbchan": len(names), "trials": n_trials, "pnts": n_times}
    fields |= {"srate": sfreq, "xmin": 0.0, "xmax": (n_times - 1) / sfreq}
    fields["chanlocs"] = np.array([(n,) for n in names], [("labels", "O")])
    events = [(1 + i * n_times, "go", i + 1) for i in range(n_trials)]
    kinds = [("latency", "O"), ("type", "O"), ("epoch", "O")]
    fields["event"] = np.array(events, kinds)
    epochs = [(i + 1, 0.0, "go") for i in range(n_trials)]
    kinds = [("event", "O"), ("eventlatency", "O"), ("eventtype", "O")]
    fields["epoch"] = np.array(epochs, kinds) if n_trials > 1 else np.zeros((0, 0))
    return fields | {"data": data}


def write_persyst(path, data, names, sfreq, step=0.01):
    """Write uV as the two files of Persyst; path: of the header."""
    header = ["[FileInfo]", f"File={path.stem}.dat", "FileType=Interleaved"]
    header += [f"SamplingRate={sfreq}", "HeaderLength=0", f"Calibration={step}"]
    header += [f"WaveformCount={len(names)}", "DataType=0", "[ChannelMap]"]
    header += [f"{name}={i + 1}" for i, name in enumerate(names)]
    header += [
        "[Patient]",
        "First=X",
        "Last=X",
        "Sex=",
        "Hand=",
        "BirthDate=01/01/2000",
    ]
    header += ["ID=", "TestDate=01/01/2020", "TestTime=00:00:00"]
    header += ["[SampleTimes]", "0=0", "[Comments]"]
    path.write_text("\n".join(header) + "\n")
    samples = np.round(data / step).astype("<i2")
    path.with_suffix(".dat").write_bytes(samples.T.tobytes())


def write_eeglab_v73(path, fields):
    """Write a continuous recording as MATLAB's v7.3 does, in HDF5; without names."""
    import h5py

    with h5py.File(path, "w", userblock_size=512) as file:
        group = file.create_group("EEG")
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        for name in ("nbchan", "trials", "pnts", "srate", "xmin", "xmax"):
            group[name] = np.array([[float(fields[name])]])
        group["data"] = fields["data"].T  # MATLAB's order
        for name in ("chanlocs", "event"):
            group[name] = np.zeros(2, np.uint64)
            group[name].attrs["MATLAB_empty"] = 1
        for item in group.values():
            item.attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
