"""What the scan network knows before it learns: how cortex looks from the scalp."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..head import average_reference
from .dictionary import brain_noise, patch_dictionary, patch_weights, unit_maps
from .matrix_roots import symmetric_roots

if TYPE_CHECKING:
    from ..cortex import Cortex

# Weights of the seed, its neighbours, their neighbours, ... in the round patches
# that every parcel is scanned with.
PATCH_PROFILES = ((1.0,), (1.0, 0.9), (1.0, 0.9, 0.5))
NEAR_RINGS = 3  # patches whose seed is no farther than this compete for a parcel
APART_RINGS = 4  # searches start from seeds farther apart than this
# Variance of sensor noise against that of the brain, both a channel's mean. On single
# sources, scanned without any network, 0.1 found as much as 0.2 and more than 0.5: a
# patch that differs from the true one errs as brain noise does, so that counts for more.
NOISE_SHARE = 0.1
# The same where a source's time course is at stake and no patch is wrong.
COURSE_NOISE_SHARE = 1.0
# Channels count as this much weaker or stronger than the mean at most. A bad one could
# else make the rest look free of noise.
POWER_RANGE = (1 / 16, 16)


class Whitening(NamedTuple):
    """How the noise of each recording differs from that of the average one.

    Attributes
    ----------
    root, inverse : tensors of shape (n_samples, n_axes, n_axes)
        Square root of the covariance of noise along the axes, and its inverse.
    """

    root: Tensor
    inverse: Tensor


class ScanGeometry(nn.Module):
    """Scalp maps of parcels and patches, and which parcels lie beside each other.

    Nothing here is learned, so nothing is stored with the weights: it follows from the
    head model, which a network is checked against before it is used.

    Maps are compared beyond what noise explains: that of a cortex active all over, plus
    that of sensors, whose variance is a share of each channel's power (so SNR is
    defined in the paper, channel by channel). The first is the same in all recordings,
    so maps are whitened with it (and even sensor noise) once; what a recording differs
    by is a second, smaller step, see :meth:`whitening`.

    Parameters
    ----------
    n_channels, n_regions : int
    n_shapes : int
        Patches of the dictionary that grow from each parcel.
    n_axes : int
        Axes of noise that maps are described by; fewer than channels.
    """

    def __init__(
        self, n_channels: int, n_regions: int, n_shapes: int, n_axes: int
    ) -> None:
        super().__init__()
        self.n_regions, self.n_shapes = n_regions, n_shapes
        n_axes = min(n_axes, n_channels - 1)
        n_patches, n_scales = n_regions * n_shapes, len(PATCH_PROFILES)
        sizes = {
            "axes": (n_channels, n_axes),
            "brain_power": (n_axes,),
            "parcel_maps": (n_regions, n_axes),
            "round_maps": (n_scales, n_regions, n_axes),
            "patch_maps": (n_patches, n_axes),
            "adjacency": (n_regions, n_regions),  # 1 or 0: they enter products
            "near": (n_regions, n_regions),
        }
        for name, size in sizes.items():
            self.register_buffer(name, torch.zeros(size), persistent=False)
        for name, size in {
            "members": (n_patches, n_regions),
            "apart": (n_regions, n_regions),
        }.items():
            empty = torch.zeros(size, dtype=torch.bool)
            self.register_buffer(name, empty, persistent=False)
        self.is_set = False
        self._sparse: tuple[Tensor, Tensor] | None = None

    def set(self, leadfield: NDArray, cortex: Cortex) -> None:
        """Compute everything for one head model.

        Parameters
        ----------
        leadfield : array of shape (n_channels, n_regions)
        cortex : Cortex

        Raises
        ------
        ValueError
            They do not fit the sizes the network was made for.
        """
        self._check(leadfield, cortex)
        noise = brain_noise(leadfield, self.axes.shape[1])
        white = noise.axes.T @ average_reference(leadfield)
        white /= np.sqrt(noise.power + NOISE_SHARE)[:, None]
        members = patch_dictionary(cortex, self.n_shapes)
        rings = _rings(cortex.adjacency, max(map(len, PATCH_PROFILES)))
        for row, profile in enumerate(PATCH_PROFILES):
            patch = sum(w * ring for w, ring in zip(profile, rings, strict=False))
            _fill(self.round_maps[row], unit_maps(white, patch))
        _fill(self.axes, noise.axes)
        _fill(self.brain_power, noise.power)
        _fill(self.parcel_maps, white.T / np.linalg.norm(white, axis=0).mean())
        _fill(self.patch_maps, unit_maps(white, patch_weights(cortex, members)))
        _fill(self.members, members)
        _fill(self.adjacency, cortex.adjacency)
        _fill(self.near, sum(_rings(cortex.adjacency, NEAR_RINGS + 1)))
        _fill(self.apart, sum(_rings(cortex.adjacency, APART_RINGS + 1)) == 0)
        self.is_set, self._sparse = True, None

    def _check(self, leadfield: NDArray, cortex: Cortex) -> None:
        n_regions, n_channels = len(self.parcel_maps), len(self.axes)
        if leadfield.shape == (n_channels, n_regions) == (n_channels, cortex.n_regions):
            return
        msg = (
            f"leadfield {leadfield.shape} and cortex ({cortex.n_regions} regions) do not "
            f"fit a network of {n_channels} channels and {n_regions} regions; load the "
            "head model it was made for."
        )
        raise ValueError(msg)

    def noise(self, eeg: Tensor, share: float) -> Tensor:
        """Expect a covariance of noise in each recording.

        Parameters
        ----------
        eeg : tensor of shape (n_samples, n_times, n_channels)
            Average reference, any unit.
        share : float
            Variance of sensor noise against that of the brain.

        Returns
        -------
        tensor of shape (n_samples, n_axes, n_axes)
            Of :meth:`along_axes`, in double precision.
        """
        power = eeg.double().square().mean(1)
        power = power / power.mean(1, keepdim=True).clamp_min(1e-30)
        power = power.clamp(*POWER_RANGE)
        scale = (self.brain_power.double() + NOISE_SHARE).sqrt()
        axes = self.axes.double() / scale
        brain = torch.diag(self.brain_power.double() / scale**2)
        return brain + share * axes.T @ (power[..., None] * axes)

    def whitening(self, eeg: Tensor) -> Whitening:
        """Find how the noise of recordings differs from that of the average one.

        Parameters
        ----------
        eeg : tensor of shape (n_samples, n_times, n_channels)

        Returns
        -------
        Whitening
        """
        with torch.no_grad(), torch.autocast(eeg.device.type, enabled=False):
            root, inverse = symmetric_roots(self.noise(eeg, NOISE_SHARE))
            return Whitening(root.float(), inverse.float())

    def courses(self, eeg: Tensor, maps: Tensor, whitening: Whitening) -> Tensor:
        """Find the time courses that explain EEG best, given its scalp maps.

        By generalised least squares. Scanning wants maps to be told apart, at the
        price of sensor noise; here that noise counts as much as the brain's.

        Parameters
        ----------
        eeg : tensor of shape (n_samples, n_times, n_channels)
        maps : tensor of shape (n_samples, n_modes, n_axes)
            Whitened.
        whitening : Whitening

        Returns
        -------
        tensor of shape (n_samples, n_modes, n_times)
        """
        with torch.no_grad(), torch.autocast(eeg.device.type, enabled=False):
            white = symmetric_roots(self.noise(eeg, COURSE_NOISE_SHARE))[1]
            maps = maps.double() @ whitening.root.double() @ white
            decorrelate = symmetric_roots(maps @ maps.mT)[1]
            filters = decorrelate @ (decorrelate @ maps) @ white
            return filters.float() @ self.along_axes(eeg).mT

    def along_axes(self, eeg: Tensor) -> Tensor:
        """Describe EEG by the axes, whitened as the average recording wants it."""
        return eeg @ (self.axes / (self.brain_power + NOISE_SHARE).sqrt())

    def scalp_maps(self, maps: Tensor, whitening: Whitening) -> Tensor:
        """Show whitened maps at the channels, each with norm one.

        Whitened as for the average recording, so that what is learnt of a map does not
        depend on the noise of the recording it comes from.

        Parameters
        ----------
        maps : tensor of shape (n_samples, n_modes, n_axes)
        whitening : Whitening

        Returns
        -------
        tensor of shape (n_samples, n_modes, n_channels)
        """
        return F.normalize(maps @ whitening.root @ self.axes.T, dim=-1)

    @torch.no_grad()
    def sizes(self, inverse: Tensor) -> tuple[Tensor, Tensor]:
        """Return norms of the round maps and patch maps, whitened for each recording.

        Parameters
        ----------
        inverse : tensor of shape (n_samples, n_axes, n_axes)
            Of the :class:`Whitening`.

        Returns
        -------
        of_rounds : tensor of shape (n_samples, n_scales, n_regions)
        of_patches : tensor of shape (n_samples, n_patches)
        """
        maps = torch.cat([self.round_maps.flatten(0, 1), self.patch_maps])
        # One recording at a time: the maps of one fit into a processor's cache.
        norms = torch.stack([(maps @ own).square().sum(1).sqrt() for own in inverse])
        n_rounds = self.round_maps.shape[:2].numel()
        of_rounds = norms[:, :n_rounds].unflatten(1, self.round_maps.shape[:2])
        return of_rounds, norms[:, n_rounds:]

    def sum_over_members(self, chance: Tensor) -> Tensor:
        """Sum what patches have over the patches that hold each parcel.

        Parameters
        ----------
        chance : tensor of shape (..., n_patches)

        Returns
        -------
        tensor of shape (..., n_regions)
        """
        if self._sparse is None or self._sparse[0].device != chance.device:
            dense = self.members.float()
            with warnings.catch_warnings():
                # torch calls the format beta; what is used of it is tested.
                warnings.filterwarnings("ignore", "Sparse CSR")
                self._sparse = dense.T.to_sparse_csr(), dense.to_sparse_csr()
        return _SparseProduct.apply(chance, *self._sparse)

    def __getstate__(self) -> dict:
        # Sparse tensors cannot be copied; a copy makes its own.
        return {**self.__dict__, "_sparse": None}


class _SparseProduct(torch.autograd.Function):
    """A dense array times a constant sparse matrix."""

    @staticmethod
    def forward(ctx, dense: Tensor, transposed: Tensor, matrix: Tensor) -> Tensor:
        ctx.matrix = matrix
        return _times_sparse(dense, transposed)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return _times_sparse(gradient, ctx.matrix), None, None


def _times_sparse(dense: Tensor, transposed: Tensor) -> Tensor:
    """Multiply ``dense @ transposed.T``."""
    columns = dense.float().flatten(0, -2).T.contiguous()
    return torch.sparse.mm(transposed, columns).T.unflatten(0, dense.shape[:-1])


def _rings(adjacency: NDArray, n_rings: int) -> list[NDArray]:
    """Parcels at 0, 1, 2, ... steps of each parcel."""
    reach = np.eye(len(adjacency), dtype=bool)
    rings = [reach]
    for _ in range(n_rings - 1):
        wider = reach | (reach.astype(np.float32) @ adjacency > 0)
        rings.append(wider & ~reach)
        reach = wider
    return rings


def _fill(buffer: Tensor, values: NDArray) -> None:
    buffer.copy_(torch.as_tensor(np.ascontiguousarray(values)))
