"""The networks: the paper's, and a small one that a laptop can train.

Both map normalised EEG, shape (n_samples, n_times, n_channels), to source activity,
shape (n_samples, n_times, n_regions), and both give their training loss on a batch,
so training and imaging never ask which one they hold.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from .head import average_reference

if TYPE_CHECKING:
    from .synthesis import Batch


# Weights of the seed, its neighbours, their neighbours, ... in the patches scanned with.
PATCH_PROFILES = ((1.0,), (1.0, 0.9), (1.0, 0.9, 0.5))


class PaperNetwork(nn.Module):
    """The network of Sun et al. 2022 (Fig. 2; Methods, "Training the DNN").

    A residual perceptron filters every time point, three LSTM layers follow the
    activity over time; the last hidden state is the source activity.

    Parameters
    ----------
    n_channels, n_regions : int
        Sizes of input and output.
    width : int
        Size between the two modules (500 in the paper).
    n_layers : int
        LSTM layers.
    """

    def __init__(
        self, n_channels: int, n_regions: int, width: int = 500, n_layers: int = 3
    ) -> None:
        super().__init__()
        self.block1_in = nn.Linear(n_channels, n_channels)
        self.block1_out = nn.Linear(n_channels, n_channels)
        self.block2_in = nn.Linear(n_channels, width)
        self.block2_out = nn.Linear(width, width)
        self.block2_skip = nn.Linear(n_channels, width)
        self.mix = nn.Linear(width, width)
        self.temporal = nn.LSTM(width, n_regions, n_layers, batch_first=True)

    def forward(self, eeg: Tensor) -> Tensor:
        """Return source activity for normalised EEG."""
        x = F.elu(self.block1_out(F.elu(self.block1_in(eeg) + eeg)))
        x = F.elu(self.block2_out(F.elu(self.block2_in(x))) + self.block2_skip(x))
        x = F.elu(self.mix(x))
        return self.temporal(x)[0]

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the summed squared error, the code's reduction, as ``total``.

        The sum, not the mean: Adam's weight decay and epsilon are tuned to it.
        """
        total = F.mse_loss(self(batch.eeg), batch.activity, reduction="sum")
        return {"total": total}


class ScanNetwork(nn.Module):
    """Scan the cortex with a few scalp maps: the network of the ``lite`` profile.

    A window of EEG is the sum of a few scalp maps, each with one time course (its
    singular vectors). The network looks at the maps twice:

    - *globally*, every map is a token of a transformer; attention unmixes sources
      that share maps, and each token is read out to a loading on every parcel;
    - *locally*, every parcel asks how well patches around it, of several sizes, fit
      into the span of the first maps (the scan of MUSIC; Mosher, Lewis and Leahy 1992), and
      one small perceptron, the same for all parcels, judges the answers.

    Both add up to the loading of each map on each parcel, and to the probability
    that the parcel is active at all, which gates them. Activity is loadings times
    time courses, so the network is equivariant in time, takes any window length and
    trains on numbers 40 times fewer than the EEG itself.

    Parameters
    ----------
    n_channels, n_regions : int
        Sizes of input and output.
    n_modes : int
        Leading scalp maps kept.
    width, depth, n_heads : int
        Size of the transformer.
    local_width : int
        Size of the perceptron of the parcels.
    gate_weight : float
        Weight of the cross-entropy on patch membership against the squared error.
    gate_power : float
        The probability is raised to this power when imaging. One minimises the
        squared error; less lets doubtful rims of patches in, which gives recall for
        precision. The default was chosen on training clips so that nine tenths of a
        single source's regions are found.
    """

    def __init__(
        self,
        n_channels: int,
        n_regions: int,
        n_modes: int = 8,
        width: int = 256,
        depth: int = 2,
        n_heads: int = 4,
        local_width: int = 64,
        gate_weight: float = 0.3,
        gate_power: float = 0.85,
    ) -> None:
        super().__init__()
        self.n_modes, self.gate_weight = n_modes, gate_weight
        self.gate_power = gate_power
        n_scales = len(PATCH_PROFILES)
        self.register_buffer("scan", torch.zeros(n_scales, n_regions, n_channels))
        self.embed = nn.Sequential(
            nn.Linear(n_channels + 1, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.rank = nn.Parameter(torch.zeros(n_modes, width))
        self.extra = nn.Parameter(0.02 * torch.randn(2, width))  # summary, constant
        layer = nn.TransformerEncoderLayer(
            width,
            n_heads,
            4 * width,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.trunk = nn.TransformerEncoder(
            layer, depth, nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.readout = nn.Linear(width, n_regions)
        self.constant = nn.Linear(width, n_regions)
        self.gate = nn.Linear(width, n_regions)
        self.local_in = nn.Linear(2 * n_scales * n_modes, local_width)
        self.local_context = nn.Linear(width, local_width)
        self.local_region = nn.Parameter(0.02 * torch.randn(n_regions, local_width))
        self.local_mid = nn.Linear(local_width, local_width)
        self.local_out = nn.Linear(local_width, 1 + n_modes)
        for layer in (self.readout, self.gate):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.gate.bias, -3.0)  # few parcels are active
        nn.init.zeros_(self.local_out.weight)
        nn.init.zeros_(self.local_out.bias)

    def set_geometry(self, leadfield: NDArray, adjacency: NDArray) -> None:
        """Give the scan its scalp maps: patches of several sizes around each parcel.

        Parameters
        ----------
        leadfield : array of shape (n_channels, n_regions)
        adjacency : array of bool, shape (n_regions, n_regions)
        """
        leadfield = average_reference(leadfield)
        reach = np.eye(len(adjacency), dtype=bool)
        rings = [reach]
        for _ in range(max(map(len, PATCH_PROFILES)) - 1):
            wider = reach | (reach.astype(np.float32) @ adjacency > 0)
            rings.append(wider & ~reach)
            reach = wider
        for row, profile in enumerate(PATCH_PROFILES):
            patch = sum(w * ring for w, ring in zip(profile, rings, strict=False))
            maps = leadfield @ patch.T
            maps = (maps / np.linalg.norm(maps, axis=0)).T
            self.scan[row] = torch.as_tensor(maps, dtype=self.scan.dtype)

    def forward(self, eeg: Tensor) -> Tensor:
        """Return source activity for normalised EEG."""
        maps, strengths, courses = temporal_modes(eeg, self.n_modes)
        loadings, logits = self.loadings(maps, strengths)
        gate = logits.sigmoid() ** self.gate_power
        return courses.transpose(1, 2) @ (loadings * gate[:, None])

    def probability(self, eeg: Tensor) -> Tensor:
        """Return each parcel's probability of activity, (n_samples, n_regions)."""
        maps, strengths, _ = temporal_modes(eeg, self.n_modes)
        return self.loadings(maps, strengths)[1].sigmoid()

    def loadings(self, maps: Tensor, strengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map scalp maps to parcels.

        Parameters
        ----------
        maps : tensor of shape (n_samples, n_modes, n_channels)
            Unit scalp maps, strongest first.
        strengths : tensor of shape (n_samples, n_modes)
            Root mean square over time of each map's course.

        Returns
        -------
        loadings : tensor of shape (n_samples, n_modes + 1, n_regions)
            What each region has of each course if it is active, before the gate.
            The last row belongs to the constant: EEG has lost its mean, sources
            have not.
        logits : tensor of shape (n_samples, n_regions)
            Log odds that a parcel belongs to an active patch.
        """
        level = strengths.clamp_min(1e-6).log()[..., None]
        tokens = self.embed(torch.cat([maps * math.sqrt(maps.shape[-1]), level], -1))
        extra = self.extra.expand(len(tokens), -1, -1)
        hidden = self.trunk(torch.cat([extra, tokens + self.rank], 1))
        summary, constant, modes = hidden[:, 0], hidden[:, 1:2], hidden[:, 2:]
        fit = torch.einsum("bmc,src->bsmr", maps, self.scan)
        judged = self._judge(fit, summary)
        logits = self.gate(summary) + judged[..., 0]
        # A map and its loadings change sign together: the fit carries the sign.
        local = fit[:, -1] * judged[..., 1:].transpose(1, 2)
        rows = (self.readout(modes) + local) * strengths[..., None]
        return torch.cat([rows, 0.1 * self.constant(constant)], 1), logits

    def _judge(self, fit: Tensor, summary: Tensor) -> Tensor:
        """Judge each parcel by how well patches around it fit the first maps."""
        share = fit.square()
        # What the first k maps leave unexplained, on a scale that opens up near 0.
        left = -0.3 * torch.log((1.02 - share.cumsum(2)).clamp_min(1e-3))
        features = torch.cat([share.flatten(1, 2), left.flatten(1, 2)], 1)
        x = self.local_in(features.transpose(1, 2))
        x = F.gelu(x + self.local_context(summary)[:, None] + self.local_region)
        return self.local_out(x + F.gelu(self.local_mid(x)))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return squared error (in mode space) and membership cross-entropy.

        The courses are orthonormal, so the squared error over all time points is
        that of the loadings plus a constant no network can change.
        """
        maps, strengths, courses = temporal_modes(batch.eeg, self.n_modes)
        loadings, logits = self.loadings(maps, strengths)
        # The gate learns from its own loss alone, which keeps it a probability.
        loadings = loadings * logits.sigmoid().detach()[:, None]
        n_times = batch.waveforms.shape[-1]
        target = (courses @ batch.waveforms.transpose(1, 2) / n_times) @ batch.weights
        member = (batch.weights > 0).any(1).float()
        error = ((loadings - target) ** 2).sum() / (target**2).sum()
        gate = F.binary_cross_entropy_with_logits(logits, member, reduction="sum")
        gate = gate / member.sum()
        return {"total": error + self.gate_weight * gate, "error": error, "gate": gate}


def temporal_modes(
    eeg: Tensor, n_modes: int, *, n_iter: int = 4
) -> tuple[Tensor, Tensor, Tensor]:
    """Split EEG into its strongest scalp maps and their time courses.

    The leading singular vectors, by subspace iteration on the channel covariance
    (a few small products instead of one large decomposition a sample).

    Parameters
    ----------
    eeg : tensor of shape (n_samples, n_times, n_channels)
    n_modes : int
        Modes kept; fewer than channels and time points.
    n_iter : int
        Rounds of iteration.

    Returns
    -------
    topographies : tensor of shape (n_samples, n_modes, n_channels)
        Unit norm; sign such that the largest deflection of the course is positive.
    strengths : tensor of shape (n_samples, n_modes)
        Root mean square of each mode's course, descending.
    courses : tensor of shape (n_samples, n_modes + 1, n_times)
        Unit root mean square, mutually orthogonal; the last is constant.
    """
    n_times, n_channels = eeg.shape[-2:]
    size = min(2 * n_modes, n_channels - 1)
    with torch.no_grad(), torch.autocast(eeg.device.type, enabled=False):
        eeg = eeg.float()
        covariance = eeg.transpose(1, 2) @ eeg / n_times
        # A fixed start, so that a sample's modes do not depend on its batch.
        fixed = torch.Generator().manual_seed(0)
        start = torch.randn(n_channels, size, generator=fixed).to(eeg.device)
        basis = start.expand(len(eeg), -1, -1)
        for _ in range(n_iter):
            basis = torch.linalg.qr(covariance @ basis)[0]
        small = basis.transpose(1, 2) @ covariance @ basis
        power, rotation = torch.linalg.eigh(small)
        order = torch.arange(size - 1, size - 1 - n_modes, -1, device=eeg.device)
        maps = (basis @ rotation[..., order]).transpose(1, 2)
        strengths = power[:, order].clamp_min(1e-12).sqrt()
        courses = maps @ eeg.transpose(1, 2) / strengths[..., None]
        peak = courses.abs().argmax(-1, keepdim=True)
        sign = courses.gather(-1, peak).sign()
        constant = torch.ones_like(courses[:, :1])
        return maps * sign, strengths, torch.cat([courses * sign, constant], 1)


NETWORKS = {"lite": ScanNetwork, "paper": PaperNetwork}


def build_network(kind: str, n_channels: int, n_regions: int, **options) -> nn.Module:
    """Build a network by name.

    Raises
    ------
    ValueError
        No such network.
    """
    if kind not in NETWORKS:
        msg = f"network={kind!r} is unknown; choose one of {', '.join(NETWORKS)}."
        raise ValueError(msg)
    return NETWORKS[kind](n_channels, n_regions, **options)
