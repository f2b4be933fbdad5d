"""A small head and a small spike library, for tests that need both quickly."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

import deepsif_lite as dl
from deepsif_lite.head import HeadModel
from deepsif_lite.neural_mass import Connectome
from deepsif_lite.spikes import SpikeLibrary

if TYPE_CHECKING:
    from mne import Forward

    from deepsif_lite.network import ScanGeometry

SFREQ = 500.0


def toy_head(n_regions: int = 120, n_channels: int = 20, seed: int = 0):
    """Return a head model with a smooth random leadfield on a coarse cortex."""
    cortex = dl.load_cortex(n_regions)
    rng = np.random.default_rng(seed)
    electrodes = rng.standard_normal((n_channels, 3))
    electrodes *= 0.13 / np.linalg.norm(electrodes, axis=1, keepdims=True)
    step = electrodes[:, None] - cortex.centroids
    normal = cortex.centroids / np.linalg.norm(cortex.centroids, axis=1, keepdims=True)
    leadfield = (step * normal).sum(-1) / np.linalg.norm(step, axis=-1) ** 3
    names = [f"E{k}" for k in range(n_channels)]
    return SimpleNamespace(
        name="toy",
        leadfield=leadfield,
        ch_names=names,
        sensors=electrodes,
        cortex=cortex,
        modality="eeg",
    )


def air_head(n_regions: int, sfreq: float = SFREQ) -> HeadModel:
    """Return a head in air: the potential of a dipole in an endless conductor."""
    import mne  # which few toys need

    cortex = dl.load_cortex(n_regions)
    montage = mne.channels.make_standard_montage("biosemi32")
    info = mne.create_info(montage.ch_names, sfreq, "eeg").set_montage(montage)
    electrodes = 1.1 * np.array([ch["loc"][:3] for ch in info["chs"]])
    apart = electrodes[:, None] - cortex.centroids
    outward = cortex.centroids / np.linalg.norm(cortex.centroids, axis=1, keepdims=True)
    leadfield = (apart * outward).sum(axis=-1) / np.linalg.norm(apart, axis=-1) ** 3
    return HeadModel("air", leadfield, info.ch_names, info, cortex, electrodes)


def sphere_forward(n_sources: int) -> Forward:
    """Return MNE's forward solution: fixed dipoles in a sphere, 32 electrodes."""
    import mne

    montage = mne.channels.make_standard_montage("biosemi32")
    info = mne.create_info(montage.ch_names, 100.0, "eeg").set_montage(montage)
    rng = np.random.default_rng(0)
    direction = rng.standard_normal((n_sources, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    sphere = mne.make_sphere_model("auto", "auto", info, verbose=False)
    places = sphere["r0"] + direction * rng.uniform(0.03, 0.07, (n_sources, 1))
    sources = mne.setup_volume_source_space(
        pos={"rr": places, "nn": direction}, verbose=False
    )
    free = mne.make_forward_solution(
        info, None, sources, sphere, eeg=True, meg=False, verbose=False
    )
    return mne.convert_forward_solution(
        free, surf_ori=True, force_fixed=True, verbose=False
    )


def line_cortex(n: int = 12, step: float = 0.01):
    """Return regions one centimeter apart on a line, areas 1, 2, 3, ... cm^2."""
    x = step * np.arange(n)
    return SimpleNamespace(
        distances=np.abs(x[:, None] - x), areas=1e-4 * np.arange(1, n + 1), n_regions=n
    )


def toy_geometry(n_shapes: int = 3) -> ScanGeometry:
    """Return what the scan network knows of the toy head."""
    from deepsif_lite.network import ScanGeometry  # torch, which few toys need

    head = toy_head()
    geometry = ScanGeometry(len(head.ch_names), head.cortex.n_regions, n_shapes)
    geometry.compute(head.leadfield, head.cortex)
    return geometry


def toy_clips(n_regions: int = 120, n_clips: int = 12, n_times: int = 500, seed=0):
    """Return clips with one Gaussian spike each over a smooth random background."""
    rng = np.random.default_rng(seed)
    n_coefs, step = 40, 0.05
    times = np.arange(n_times)
    peaks = rng.integers(n_times // 4, 3 * n_times // 4, n_clips)
    level = rng.standard_normal((n_clips, n_regions, n_coefs))
    level *= 4 / (1 + np.arange(n_coefs))
    level[..., 0] = 1.3 * np.sqrt(n_times)
    levels = np.round(level / step).astype(np.int16)
    seeds = rng.integers(n_regions, size=n_clips)
    wave = 9 * np.exp(-0.5 * ((times - peaks[:, None]) / 12) ** 2)
    wave -= 3 * np.exp(-0.5 * ((times - peaks[:, None] - 70) / 20) ** 2)
    wave += fft.idct(level[np.arange(n_clips), seeds], n=n_times, norm="ortho")
    spans = [np.array([(max(p - 40, 0), min(p + 130, n_times))]) for p in peaks]
    return SpikeLibrary(
        waveforms=wave.astype(np.float32),
        seeds=seeds,
        peaks=peaks,
        spans=spans,
        means=np.full(n_clips, 1.3),
        gains=np.full(n_clips, 3.55),
        settings=np.tile([0.087, 1.0], (n_clips, 1)),
        levels=levels,
        step=step,
        sfreq=SFREQ,
        cortex=f"template-{n_regions}",
    )


def small_connectome(n: int = 40) -> Connectome:
    """Return a random network of a few nodes, on no cortex."""
    rng = np.random.default_rng(0)
    weights = np.triu(rng.random((n, n)) * (rng.random((n, n)) < 0.3), 1)
    weights += weights.T
    lengths = rng.uniform(5, 60, (n, n))
    return Connectome("small", weights, lengths, np.arange(n))


def patch_response(head, region, noise=1e-6, n_times=120, seed=0):
    """60 uV of a patch for a twentieth of the window, without mean."""
    patch = [region, *head.cortex.neighbors[region]] if region % 2 else [region]
    field = head.leadfield[:, patch].sum(axis=1)
    field = 60e-6 * (field - field.mean()) / np.abs(field - field.mean()).max()
    times = np.arange(n_times) / n_times
    data = np.outer(field, np.exp(-(((times - 0.5) / 0.025) ** 2)))
    data += noise * np.random.default_rng(seed).standard_normal(data.shape)
    return data - data.mean(axis=1, keepdims=True)
