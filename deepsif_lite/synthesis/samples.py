"""What a stream of synthetic EEG gives: single samples, and batches of tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sample:
    """One synthetic recording.

    Attributes
    ----------
    eeg : array of shape (n_times, n_channels)
        Normalized EEG: no mean in time, average reference, largest magnitude 1.
    activity : array of shape (n_times, n_regions)
        Source activity, largest magnitude 1; zero outside the patches.
    patches : list of array of int
        Parcels of each source, its seed first.
    snr_db : float
        Nominal signal-to-noise ratio at the scalp.
    source_snr_db : list of float
        Source against background, one a patch.
    clips : list of int
        Row of the spike library behind each patch, or behind the background of a
        sample without patches.
    """

    eeg: NDArray
    activity: NDArray
    patches: list[NDArray]
    snr_db: float
    source_snr_db: list[float]
    clips: list[int]


@dataclass
class Batch:
    """Samples side by side, sources as an outer product (tensors).

    Attributes
    ----------
    eeg : tensor of shape (n_samples, n_times, n_channels)
    waveforms : tensor of shape (n_samples, n_sources, n_times)
    weights : tensor of shape (n_samples, n_sources, n_regions)
        Zero for sources a sample lacks; activity is ``waveforms' @ weights``.
    leadfield : array of shape (n_channels, n_regions)
        What a network is told of the electrodes, V/(A m).
    """

    eeg: torch.Tensor
    waveforms: torch.Tensor
    weights: torch.Tensor
    leadfield: NDArray

    @property
    def activity(self) -> torch.Tensor:
        """Source activity, shape (n_samples, n_times, n_regions)."""
        return self.waveforms.transpose(1, 2) @ self.weights

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device; from pinned memory nothing is waited for."""
        return self._with(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        """Return the batch in memory that a GPU reads by itself."""
        return self._with(torch.Tensor.pin_memory)

    def _with(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        tensors = {k: v for k, v in values.items() if isinstance(v, torch.Tensor)}
        return replace(self, **{name: change(t) for name, t in tensors.items()})
