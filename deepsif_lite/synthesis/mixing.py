"""The arithmetic of synthesis: tensors in, tensors out, nothing is drawn here.

Projection is linear, so the background of a clip is projected once, and a sample only
exchanges the columns of its patches. Backgrounds stay what the library stores, the low
part of their cosine transform.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import check_option

if TYPE_CHECKING:
    from ..spikes.library import SpikeLibrary

PEAK_WINDOW = 0.1  # s either side of the peak, where source and background compare
SPIKE_SNR_DB = 15.0  # a clip's spike against its background, before patches
_LEAST_SIGNAL = 1e-20  # keeps a ratio finite where there is no source
LITERAL = ("noise", "window", "decay")
VARIANTS = {"corrected": (), "published": LITERAL}


def read_literally(variant: str | Sequence[str]) -> tuple[str, ...]:
    """Return the places where the authors' code is read literally.

    Parameters
    ----------
    variant : {"corrected", "published"} | sequence of {"noise", "window", "decay"}

    Raises
    ------
    OptionError
        There is no such variant or place.
    """
    if isinstance(variant, str):
        check_option("variant", variant, VARIANTS)
        return VARIANTS[variant]
    for place in variant:
        check_option("variant", place, LITERAL)
    return tuple(variant)


class ProjectedClips(NamedTuple):
    """A spike library projected to the scalp.

    Attributes
    ----------
    waveforms : tensor of shape (n_clips, n_times)
        Spikes raised over their background; largest magnitude 1.
    levels : tensor of shape (n_clips, n_regions, n_coefs)
        Cosine coefficients of the backgrounds in steps, without the spiking parcel.
    step : float
        Size of a step (mV).
    projected : tensor of shape (n_clips, n_coefs, n_channels)
        Scalp EEG of all of a background.
    basis : tensor of shape (n_times, n_coefs)
        Cosines; ``basis @ coefficients`` is a time course.
    gain : tensor of shape (n_regions, n_channels)
        The transposed leadfield.
    half_window : int
        Samples either side of a peak where source and background compare.
    """

    waveforms: Tensor
    levels: Tensor
    step: float
    projected: Tensor
    basis: Tensor
    gain: Tensor
    half_window: int


def project_clips(clips: SpikeLibrary, leadfield: NDArray, device) -> ProjectedClips:
    """Project the backgrounds of all clips to the scalp.

    Parameters
    ----------
    clips : SpikeLibrary
    leadfield : array of shape (n_channels, n_regions)
        Average referenced, any unit.
    device : torch.device

    Returns
    -------
    ProjectedClips
    """
    gain = as_tensor(leadfield.T, device, torch.float32)
    # (n_clips, n_regions, n_coefs): rows of one patch are gathered together.
    levels = as_tensor(clips.levels, device)
    projected = torch.stack([(rows.T.float() * clips.step) @ gain for rows in levels])
    # A clip lends its waveform to any patch, so the spiking parcel it came from must
    # not spike on in the background.
    each, seeds = torch.arange(len(levels)), clips.seeds.astype(int)
    own = levels[each, seeds].float()
    projected -= torch.einsum("nk,nc->nkc", own * clips.step, gain[seeds])
    levels[each, seeds] = 0
    basis = as_tensor(clips.basis, device, torch.float32)
    half_window = round(PEAK_WINDOW * clips.sfreq)
    waves = [
        _raised(clips, i, basis @ projected[i], gain[int(seeds[i])], half_window)
        for i in range(len(levels))
    ]
    waveforms = as_tensor(np.array(waves), device, torch.float32)
    return ProjectedClips(
        waveforms, levels, clips.step, projected, basis, gain, half_window
    )


def _raised(
    clips: SpikeLibrary, row: int, background: Tensor, seed_gain: Tensor, half: int
) -> NDArray:
    """Raise a clip's spikes over its own background; largest magnitude 1."""
    waveform, peak = clips.waveforms[row], clips.peaks[row]
    background, seed_gain = background.cpu().numpy(), seed_gain.cpu().numpy()
    window = slice(max(peak - half, 0), min(peak + half, len(waveform)))
    wave = waveform - waveform.mean()
    background = background - background.mean(axis=0)
    signal = np.mean(wave[window] ** 2) * np.sum(seed_gain**2)
    noise = np.mean(np.sum(background[window] ** 2, axis=1))
    scaled = clips.rescaled(row, np.sqrt(10 ** (SPIKE_SNR_DB / 10) * noise / signal))
    return scaled / np.abs(scaled).max()


def as_tensor(
    array: NDArray | list, device, dtype: torch.dtype | None = None
) -> Tensor:
    """Copy an array, never share it.

    torch aligns its memory and NumPy does not, and the alignment reaches the last bit
    of a product.
    """
    return torch.tensor(array, dtype=dtype, device=device)


def background_without_patches(
    clips: ProjectedClips, clip: Tensor, regions: Tensor, members: Tensor
) -> Tensor:
    """Return scalp EEG of each clip without its patch, as cosine coefficients.

    Parameters
    ----------
    clips : ProjectedClips
    clip : tensor of int, shape (n_samples, n_sources)
    regions : tensor of int, shape (n_samples, n_sources, n_members)
        Parcels of each patch, padded.
    members : tensor, same shape
        1, and 0 for padding.

    Returns
    -------
    tensor of shape (n_samples, n_sources, n_coefs, n_channels)
    """
    patch_coefs = clips.levels[clip[..., None], regions].float()
    patch_coefs *= (members * clips.step)[..., None]
    return clips.projected[clip] - patch_coefs.transpose(-1, -2) @ clips.gain[regions]


def projected_backgrounds(
    clips: ProjectedClips,
    clip: Tensor,
    regions: Tensor,
    members: Tensor,
    present: Tensor,
    gain: Tensor,
    head: Tensor,
) -> Tensor:
    """Return what :func:`background_without_patches` does, for several heads.

    There are too many heads to have every clip projected by each beforehand.

    Parameters
    ----------
    clips, clip, regions, members
        As for :func:`background_without_patches`.
    present : tensor of shape (n_samples, n_sources)
        0 for padding, which has no background.
    gain : tensor of shape (n_heads, n_regions, n_channels)
        Transposed leadfields.
    head : tensor of int, shape (n_samples,)
        Whose each sample is.

    Returns
    -------
    tensor of shape (n_samples, n_sources, n_coefs, n_channels)
    """
    n_coefs = clips.levels.shape[-1]
    result = gain.new_zeros(*clip.shape, n_coefs, gain.shape[-1])
    sample, source = present.nonzero(as_tuple=True)
    for k in range(len(gain)):
        b, s = (part[head[sample] == k] for part in (sample, source))
        if len(b) == 0:
            continue
        levels = clips.levels[clip[b, s]].float()  # (n_pairs, n_regions, n_coefs)
        kept = torch.ones(levels.shape[:2], device=levels.device)
        kept.scatter_reduce_(1, regions[b, s], 1 - members[b, s], "amin")
        rows = (levels * (kept * clips.step)[..., None]).transpose(1, 2)
        result[b, s] = rows @ gain[k]
    return result


def source_amplitude(
    clips: ProjectedClips,
    wave: Tensor,
    topography: Tensor,
    background: Tensor,
    snr_db: Tensor,
    *,
    to_the_end: bool = False,
) -> Tensor:
    """Return the scale that gives each source its ratio to its background.

    Both powers are taken in the window around the peak, over all channels, after the
    mean over the clip is gone.

    Parameters
    ----------
    clips : ProjectedClips
    wave : tensor of shape (n_samples, n_sources, n_times)
    topography : tensor of shape (n_samples, n_sources, n_channels)
    background : tensor of shape (n_samples, n_sources, n_coefs, n_channels)
    snr_db : tensor of shape (n_samples, n_sources)
    to_the_end : bool
        Let the window run to the end of the clip, as the published code does.

    Returns
    -------
    tensor of shape (n_samples, n_sources)
    """
    n_times, half = wave.shape[-1], clips.half_window
    peak = wave.argmax(-1)
    start = (peak - half).clamp_min(0)
    stop, length = (peak + half).clamp_max(n_times), 2 * half
    if to_the_end:
        stop, length = torch.full_like(peak, n_times), n_times
    inside = start[..., None] + torch.arange(length, device=wave.device)
    cosines = clips.basis[inside.clamp_max(n_times - 1)]
    cosines *= (inside < stop[..., None])[..., None]
    cosines[..., 0] = 0  # the mean over the clip
    noise = (cosines @ background).square().sum((-1, -2))
    centered = wave - wave.mean(-1, keepdim=True)
    energy = torch.nn.functional.pad((centered**2).cumsum(-1), (1, 0))
    energy = energy.gather(-1, torch.stack([start, stop], -1)).diff()[..., 0]
    signal = energy * (topography**2).sum(-1)
    ratio = 10 ** (snr_db / 10) * noise / signal.clamp_min(_LEAST_SIGNAL)
    return torch.where(signal > 0, ratio.sqrt(), torch.zeros_like(ratio))


def scaled_noise(
    eeg: Tensor,
    unit_noise: Tensor,
    snr_db: Tensor,
    *,
    half_power: bool = False,
    overall: Tensor | None = None,
) -> Tensor:
    """Scale noise to a ratio of signal to noise, channel by channel.

    Parameters
    ----------
    eeg, unit_noise : tensor of shape (n_samples, n_times, n_channels)
        The signal, and noise of power one in each channel.
    snr_db : tensor of shape (n_samples,)
    half_power : bool
        Halve the power and count a channel's offset as signal, as the published code
        does.
    overall : tensor of bool, shape (n_samples,) | None
        Samples whose noise has a topography of its own, and power one over all
        channels: it is scaled as a whole.

    Returns
    -------
    tensor of shape (n_samples, n_times, n_channels)
    """
    if half_power:
        power = eeg.square().mean(-2, keepdim=True) / 2
    else:
        power = (eeg - eeg.mean(-2, keepdim=True)).square().mean(-2, keepdim=True)
    if overall is not None:
        whole = power.mean(-1, keepdim=True)
        power = torch.where(overall[:, None, None], whole, power)
    return unit_noise * (power * 10 ** (-snr_db / 10)[:, None, None]).sqrt()


def window_of(signals: Tensor, starts: Tensor, n_times: int, axis: int) -> Tensor:
    """Cut a window out of each sample.

    Parameters
    ----------
    signals : tensor of shape (n_samples, ...)
        Three axes.
    starts : tensor of int, shape (n_samples,)
    n_times : int
        Length of the windows.
    axis : {1, 2}
        Which axis is time.

    Returns
    -------
    tensor, ``n_times`` long on that axis
    """
    inside = starts[:, None] + torch.arange(n_times, device=signals.device)
    return signals.take_along_dim(inside.unsqueeze(3 - axis), axis)


def peak_magnitude(wave: Tensor, weights: Tensor, regions: Tensor) -> Tensor:
    """Return each sample's largest activity; patches may overlap and add up.

    Parameters
    ----------
    wave : tensor of shape (n_samples, n_sources, n_times)
    weights : tensor of shape (n_samples, n_sources, n_regions)
    regions : tensor of int, shape (n_samples, n_sources, n_members)
        Where weights may differ from zero.

    Returns
    -------
    tensor of shape (n_samples,)
    """
    n_samples, n_sources = regions.shape[:2]
    flat = regions.reshape(n_samples, 1, -1).expand(-1, n_sources, -1)
    mixed = torch.gather(weights, 2, flat).transpose(1, 2) @ wave
    return mixed.abs().amax((1, 2))
