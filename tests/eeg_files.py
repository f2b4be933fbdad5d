"""EEG in files of several formats, byte by byte, for tests of how they are read."""

from __future__ import annotations

import numpy as np


def write_edf(path, data, names, sfreq, kind="", span=100):
    """Write uV as EDF or BDF, records of one second; kind: what the header says."""
    width, top = (3, 2**23 - 1) if path.suffix.lower() == ".bdf" else (2, 2**15 - 1)
    n = len(data)
    start = b"\xffBIOSEMI" if width == 3 else b"0".ljust(8)
    fixed = [("X", 80), ("X", 80), ("01.01.20", 8), ("00.00.00", 8)]
    fixed += [(256 * (n + 1), 8), (kind, 44)]
    fixed += [(data.shape[1] // sfreq, 8), (1, 8), (n, 4)]
    columns = [(names, 16), ([""] * n, 80), (["uV"] * n, 8)]
    columns += [([-span] * n, 8), ([span] * n, 8), ([-top] * n, 8), ([top] * n, 8)]
    columns += [([""] * n, 80), ([sfreq] * n, 8), ([""] * n, 32)]
    fields = fixed + [(value, size) for values, size in columns for value in values]
    header = start + b"".join(str(v).encode().ljust(size) for v, size in fields)
    records = data.reshape(n, -1, sfreq).swapaxes(0, 1)
    digital = np.round(records / span * top).astype("<i4")
    samples = digital.reshape(-1, 1).view(np.uint8)[:, :width]
    path.write_bytes(header + samples.tobytes())


def write_brainvision(path, data, names, sfreq):
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
    markers += ["Mk1=New Segment,,1,1,0,20200101000000000000"]
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
