"""The network of the ``lite`` profile: small enough for a laptop to train.

It owes its speed to what is known beforehand. EEG of a second is a few scalp maps
times a few time courses, so it learns on maps; and a leadfield says how each patch of
cortex looks from outside, so it is told how well thousands of patches fit and learns
to judge the answers.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..training.processes import sum_over_processes
from .modes import temporal_modes
from .patch_search import choose_starts, search_patches
from .scalp_maps import NOISE_SHARE
from .scan_geometry import PATCH_PROFILES, ScanGeometry

if TYPE_CHECKING:
    from ..cortex.surface import Cortex
    from ..synthesis.stream import Batch

FLOORS = (0.002, 0.006, 0.02)  # misfits below which two patches count as alike
FAINT = 1e-30  # chance below which patches count as not fitting at all


class ScanNetwork(nn.Module):
    """Scan the cortex with a few scalp maps.

    A window of EEG is whitened and taken apart into a few scalp maps, each with one
    time course (its singular vectors). Four looks are taken at the maps:

    - *all at once*: every map is a token of a transformer; attention unmixes sources
      that share maps, and each token is read out to a loading on every parcel;
    - *parcel by parcel*: how well do round patches of several sizes fit into the span
      of the first maps (the scan of MUSIC; Mosher, Lewis and Leahy 1992)?
    - *patch by patch*: how well does every patch of a dictionary fit into the span of
      the maps that belong to sources? Which ones do is picked by the transformer, in
      several ways. A parcel learns which share of the chance of the patches around it
      falls on patches that hold it;
    - *by search*: from the best patches of the dictionary, parcels on the border are
      flipped until the fit improves no more. A parcel learns whether the patch beside
      it holds it, and how much worse the fit were otherwise.

    One small perceptron, the same for all parcels, judges the answers; neighbors tell
    each other what they think, since activity comes in patches. Together they give the
    loading of each map on each parcel, and the probability that the parcel is active at
    all, which gates them. That probability is a product: is there a source anywhere, as
    the most convinced parcels tell, and if so, does it reach here?

    Activity is loadings times time courses, so the network follows shifts in time, takes
    any window length and trains on numbers 40 times fewer than the EEG itself. Maps hold
    the frequencies that stand out of the noise, and each course has lost its own
    (``signal_band.py``).

    Parameters
    ----------
    n_channels, n_regions : int
        Sizes of input and output.
    n_modes : int
        Leading scalp maps kept.
    n_shapes : int
        Patches of the dictionary that grow from each parcel.
    n_scans : int
        Ways to pick the maps that belong to sources. The first begins with the
        strongest map and searches for one patch, the second with two, and so on.
    width, depth, n_heads : int
        Size of the transformer.
    local_width : int
        Size of the perceptron of the parcels.
    n_rounds : int
        Times that neighbors tell each other.
    gate_weight : float
        Weight of the cross-entropy on patch membership against the squared error.
    noise_share : float
        What whitening reckons with, see
        :func:`~deepsif_lite.network.source_whitener`.
    """

    def __init__(
        self,
        n_channels: int,
        n_regions: int,
        n_modes: int = 8,
        n_shapes: int = 40,
        n_scans: int = 4,
        width: int = 128,
        depth: int = 2,
        n_heads: int = 4,
        local_width: int = 64,
        n_rounds: int = 2,
        gate_weight: float = 0.3,
        noise_share: float = NOISE_SHARE,
    ) -> None:
        super().__init__()
        self.n_modes, self.n_scans = n_modes, n_scans
        self.gate_weight = gate_weight
        self.geometry = ScanGeometry(n_channels, n_regions, n_shapes, noise_share)
        self._add_transformer(n_channels, n_regions, width, depth, n_heads)
        self.pick = nn.Linear(width, n_scans)
        rank = torch.arange(n_modes)[:, None] <= torch.arange(n_scans)
        self.pick_rank = nn.Parameter(torch.where(rank, 3.0, -3.0))
        self.sharpness = nn.Linear(width, n_scans)
        for layer in (self.pick, self.sharpness):
            nn.init.normal_(layer.weight, std=0.01)
        nn.init.constant_(self.sharpness.bias, 15.0)
        n_answers = n_scans * (2 + 4 + len(FLOORS))
        n_answers += 2 * len(PATCH_PROFILES) * n_modes
        self.local_in = nn.Linear(n_answers, local_width)
        self.local_context = nn.Linear(width, local_width)
        self.local_region = nn.Parameter(0.02 * torch.randn(n_regions, local_width))
        self.local_mid = nn.ModuleList(
            nn.Linear(2 * local_width, local_width) for _ in range(n_rounds)
        )
        self.local_out = nn.Linear(local_width, 1 + n_modes)
        nn.init.zeros_(self.local_out.weight)
        nn.init.zeros_(self.local_out.bias)
        self.anywhere = nn.Linear(local_width, 1)

    def _add_transformer(
        self, n_channels: int, n_regions: int, width: int, depth: int, n_heads: int
    ) -> None:
        self.embed = nn.Sequential(
            nn.Linear(n_channels + 1, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.rank = nn.Parameter(torch.zeros(self.n_modes, width))
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
        for layer in (self.readout, self.gate):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.gate.bias, -3.0)  # few parcels are active

    def set_geometry(self, leadfield: NDArray, cortex: Cortex) -> None:
        """Give the scans their scalp maps.

        Parameters
        ----------
        leadfield : array of shape (n_channels, n_regions)
        cortex : Cortex
        """
        self.geometry.set(leadfield, cortex)

    def forward(self, eeg: Tensor) -> Tensor:
        """Return source activity for normalized EEG."""
        return self.image(eeg)[0]

    def image(self, eeg: Tensor) -> tuple[Tensor, Tensor]:
        """Return activity, and the probability of each parcel that it has any.

        Returns
        -------
        activity : tensor of shape (n_samples, n_times, n_regions)
        probability : tensor of shape (n_samples, n_regions)
        """
        maps, strengths, courses = self.modes(eeg)
        loadings, here, anywhere = self.loadings(maps, strengths)
        probability = _probability(here, anywhere)
        activity = courses.transpose(1, 2) @ (loadings * probability[:, None])
        return activity, probability

    def modes(self, eeg: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Whiten EEG and split it, see ``temporal_modes``.

        Raises
        ------
        RuntimeError
            The network has not been told its head model.
        """
        if not self.geometry.is_set:
            msg = "The network does not know its head model; call set_geometry first."
            raise RuntimeError(msg)
        return temporal_modes(eeg @ self.geometry.whitener, self.n_modes)

    def loadings(
        self, maps: Tensor, strengths: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Map scalp maps to parcels.

        Parameters
        ----------
        maps : tensor of shape (n_samples, n_modes, n_channels)
            Unit scalp maps of whitened EEG, strongest first.
        strengths : tensor of shape (n_samples, n_modes)
            Root mean square over time of each map's course.

        Returns
        -------
        loadings : tensor of shape (n_samples, n_modes + 1, n_regions)
            What each region has of each course if it is active, before the gate.
            The last row belongs to the constant: EEG has lost its mean, sources
            have not.
        here : tensor of shape (n_samples, n_regions)
            Log odds that a parcel belongs to an active patch, if there is one.
        anywhere : tensor of shape (n_samples, 1)
            Log odds that there is one.
        """
        level = strengths.clamp_min(1e-6).log()[..., None]
        tokens = self.embed(torch.cat([maps * math.sqrt(maps.shape[-1]), level], -1))
        extra = self.extra.expand(len(tokens), -1, -1)
        hidden = self.trunk(torch.cat([extra, tokens + self.rank], 1))
        summary, constant, modes = hidden[:, 0], hidden[:, 1:2], hidden[:, 2:]
        # Fits differ in their third digit: half precision would drown them.
        with torch.autocast(maps.device.type, enabled=False):
            fit = torch.einsum("bmc,src->bsmr", maps, self.geometry.round_maps)
            answers = self.scan_patches(maps, modes, summary), scan_parcels(fit)
        judged, anywhere = self._judge(torch.cat(answers, 1), summary)
        here = self.gate(summary) + judged[..., 0]
        # A map and its loadings change sign together: the fit carries the sign.
        local = fit[:, -1] * judged[..., 1:].transpose(1, 2)
        rows = (self.readout(modes) + local) * strengths[..., None]
        loadings = torch.cat([rows, 0.1 * self.constant(constant)], 1)
        return loadings, here, anywhere

    def scan_patches(self, maps: Tensor, modes: Tensor, summary: Tensor) -> Tensor:
        """Ask the dictionary, search on from its best patches, and tell the parcels.

        Parameters
        ----------
        maps : tensor of shape (n_samples, n_modes, n_channels)
        modes : tensor of shape (n_samples, n_modes, width)
            What the transformer says of each map.
        summary : tensor of shape (n_samples, width)
            What it says of the sample.

        Returns
        -------
        tensor of shape (n_samples, n_answers, n_regions)
            For each scan the share of the chance of the patches near a parcel that
            falls on patches that hold it (where is the border?), the share of all
            chance that falls near it (is there a source?), both as logarithms; then
            what the search found, see ``_search``.
        """
        geometry = self.geometry
        share = (maps @ geometry.patch_maps.T).square()
        modes, summary = modes.float(), summary.float()
        pick = torch.sigmoid(self.pick(modes) + self.pick_rank).transpose(1, 2)
        fit = pick @ share  # (n_samples, n_scans, n_patches)
        sharpness = F.softplus(self.sharpness(summary))[..., None]
        score = -sharpness * torch.log((1.01 - fit).clamp_min(1e-3))
        chance = (score - score.detach().amax(-1, keepdim=True)).exp()
        of_seed = chance.unflatten(-1, (-1, geometry.n_shapes)).sum(-1)
        around = torch.log(geometry.times(of_seed, "near") + FAINT)
        # Where no patch fits, none holds the parcel: a share of a twentieth.
        inside = torch.log(geometry.times(chance, "members") + 0.05 * FAINT)
        everywhere = torch.log(of_seed.sum(-1, keepdim=True))
        found = self._search(fit, maps, pick)
        return torch.cat([inside - around, 0.1 * (around - everywhere), found], 1)

    @torch.no_grad()
    def _search(self, fit: Tensor, maps: Tensor, pick: Tensor) -> Tensor:
        """Search from the best patches of each scan, and tell each parcel.

        For each scan and parcel, of the found patch that is nearest: is the parcel in
        it, which share of its neighbors is, how well does the patch fit, how much
        worse would it fit if the parcel changed sides (against each floor; positive
        for members), and whether there is a patch near at all.
        """
        geometry = self.geometry
        counts = range(1, self.n_scans + 1)  # the k-th scan searches for k patches
        starts = torch.cat(
            [
                choose_starts(fit[:, k], geometry.apart, n, geometry.n_shapes)
                for k, n in enumerate(counts)
            ],
            1,
        )
        scan_of_start = [k for k, n in enumerate(counts) for _ in range(n)]
        found = search_patches(
            geometry, geometry.members[starts], maps, pick[:, scan_of_start]
        )
        inside = found.members.to(maps.dtype)
        misfit = found.misfit[..., None]
        level = torch.log(misfit + FLOORS[0]) * (found.beside + inside > 0)
        evidence = [
            (2 * inside - 1) * torch.log((found.flipped + floor) / (misfit + floor))
            for floor in FLOORS
        ]
        near = geometry.near[starts // geometry.n_shapes]
        nearness = 10 * inside + 5 * found.beside + near
        answers = torch.stack([inside, found.beside, level, *evidence], 2)
        ends = [0, *(sum(counts[: k + 1]) for k in range(self.n_scans))]
        told = [
            _of_nearest(answers[:, i:j], nearness[:, i:j]) for i, j in pairwise(ends)
        ]
        return torch.cat(told, 1)

    def _judge(self, answers: Tensor, summary: Tensor) -> tuple[Tensor, Tensor]:
        """Judge each parcel by the answers of the scans, and by what is beside it.

        Returns what parcels say of themselves, (n_samples, n_regions, 1 + n_modes), and
        log odds that there is a source anywhere, (n_samples, 1).
        """
        x = self.local_in(answers.transpose(1, 2))
        x = F.gelu(x + self.local_context(summary)[:, None] + self.local_region)
        for mid in self.local_mid:
            beside = self.geometry.mean_over_neighbors(x)
            x = x + F.gelu(mid(torch.cat([x, beside], -1)))
        return self.local_out(x), self.anywhere(x.amax(1))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return squared error (by way of the modes), cross-entropy of the gate, both.

        The error is that over all time points and parcels, as a share of the energy of
        the true activity. Both activities are courses times maps, so it follows from
        the products of the courses and never unfolds time.
        """
        maps, strengths, courses = self.modes(batch.eeg)
        loadings, here, anywhere = self.loadings(maps, strengths)
        # The gate learns from its own loss alone, which keeps it a probability.
        loadings = loadings * _probability(here, anywhere).detach()[:, None]
        truth, waves = batch.weights, batch.waveforms
        # A small difference of large sums: not in half precision.
        with torch.autocast(maps.device.type, enabled=False):
            own = (courses @ courses.mT @ loadings * loadings).sum()
            shared = (courses @ waves.mT @ truth * loadings).sum()
            energy = (waves @ waves.mT @ truth * truth).sum()
        error = (own - 2 * shared + energy) / sum_over_processes(energy)
        member = (batch.weights > 0).any(1).float()
        gate = _cross_entropy(here, anywhere, member) / sum_over_processes(member.sum())
        return {"total": error + self.gate_weight * gate, "error": error, "gate": gate}


def _probability(here: Tensor, anywhere: Tensor) -> Tensor:
    return anywhere.sigmoid() * here.sigmoid()


def _cross_entropy(here: Tensor, anywhere: Tensor, member: Tensor) -> Tensor:
    """Minus the logarithm of the chance given to what is true, over the batch."""
    present = member.amax(1, keepdim=True)
    # A recording without a source says nothing about where sources reach.
    counts = present.expand_as(member)
    reach = F.binary_cross_entropy_with_logits(here, member, counts, reduction="sum")
    return reach + F.binary_cross_entropy_with_logits(
        anywhere, present, reduction="sum"
    )


def scan_parcels(fit: Tensor) -> Tensor:
    """Say what each map explains of a round patch, and what the first k leave.

    Parameters
    ----------
    fit : tensor of shape (n_samples, n_scales, n_modes, n_regions)
        Product of each map with the unit map of each patch.

    Returns
    -------
    tensor of shape (n_samples, 2 * n_scales * n_modes, n_regions)
    """
    share = fit.square()
    # On a scale that opens up near 0.
    left = -0.3 * torch.log((1.02 - share.cumsum(2)).clamp_min(1e-3))
    return torch.cat([share.flatten(1, 2), left.flatten(1, 2)], 1)


def _of_nearest(answers: Tensor, nearness: Tensor) -> Tensor:
    """Let each parcel hear of the nearest patch, and whether one is near."""
    closest, owner = nearness.max(1, keepdim=True)
    index = owner[:, :, None].expand(-1, -1, answers.shape[2], -1)
    return torch.cat([answers.gather(1, index)[:, 0], closest.clamp_max(1)], 1)
