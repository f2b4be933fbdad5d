"""The network of the ``lite`` profile: small enough for a laptop to train.

It owes its speed to what is known beforehand. EEG of a second is a few scalp maps
times a few time courses, so it learns on maps; and a leadfield gives the scalp map of
each patch of cortex, so how well thousands of patches fit is computed, and what is
learned is to score the fits.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..errors import MismatchError
from .modes import TORCH_LINALG, temporal_modes
from .patch_search import Search, search_dictionary
from .portable import PORTABLE_LINALG
from .protocol import SourceNetwork, identity
from .scalp_maps import NOISE_SHARE
from .scan_features import (
    dictionary_features,
    n_features,
    parcel_features,
    placed_features,
    placed_patches,
    search_features,
)
from .scan_geometry import PATCH_PROFILES, ScanGeometry
from .scan_layers import picking_layers, scoring_layers, transformer_layers
from .scan_loss import membership_loss, relative_error, source_probability

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels
    from ..synthesis.samples import Batch

_CONSTANT_SCALE = 0.1  # offsets of the activity are small beside its time courses
_LEAST_STRENGTH = 1e-6  # keeps the logarithm of an empty map finite


class ScanNetwork(SourceNetwork):
    """Scan the cortex with a few scalp maps.

    A window of EEG is whitened and taken apart into a few scalp maps, each with one
    time course (its singular vectors). The maps are input to four branches:

    - *transformer*: every map is a token; attention unmixes sources that share maps,
      and each token is read out to a loading on every parcel;
    - *scan of parcels*: how well do round patches of several sizes fit into the span
      of the first maps (MUSIC; Mosher, Lewis and Leahy 1992)?
    - *scan of patches*: how well does every patch of a dictionary fit into the span of
      the maps that belong to sources? Which ones do is picked by the transformer, in
      several ways. The feature of a parcel is the share of the likelihood of the
      patches around it that falls on patches that hold it;
    - *search*: from the best patches of the dictionary, parcels on the border are
      flipped until the fit improves no more. Features of a parcel are whether the
      patch beside it holds it, and how much worse the fit were otherwise;
    - *placing together*: two patches, then three, are placed so that they explain the
      most together, for sources with one time course share a scalp map.

    One small perceptron, the same for all parcels, scores the features, with message
    passing between neighbors, since activity comes in patches. The branches add up to
    the loading of each map on each parcel, and the probability that the parcel is
    active at all, which gates them. That probability is a product: is there a source
    anywhere (from the largest scores of all parcels), and if so, does it reach here?

    The transformer sees scalp maps as the montage that the network was made for would
    show them, so the network serves any electrodes, see :meth:`set_leadfield`.

    Activity is loadings times time courses, so the network follows shifts in time, takes
    any window length and trains on numbers 40 times fewer than the EEG itself. Maps hold
    the frequencies that stand out of the noise, and each course has lost its own
    (:func:`deepsif_lite.network.band_spectrum`).

    Parameters
    ----------
    n_channels : int
        Of the montage it is made for.
    n_regions : int
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
    n_messages : int
        Steps of message passing between neighbors.
    gate_weight : float
        Weight of the cross-entropy on patch membership against the squared error.
    noise_share : float
        Noise that whitening assumes, see
        :func:`deepsif_lite.network.source_whitener`.
    sizes : {"all", "published"}
        Of the dictionary's patches, see
        :func:`deepsif_lite.cortex.patch_dictionary`.
    n_rounds : int
        Sizes of the round patches.
    most_together : int
        Patches that are placed together at most; 1 places none.
    modality : {"eeg", "meg"}
        Of what it images; magnetometers have no reference.
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
        n_messages: int = 2,
        gate_weight: float = 0.3,
        noise_share: float = NOISE_SHARE,
        sizes: str = "all",
        n_rounds: int = len(PATCH_PROFILES),
        most_together: int = 3,
        modality: str = "eeg",
    ) -> None:
        super().__init__()
        self.n_channels, self.n_regions = n_channels, n_regions
        self.n_modes, self.n_shapes = n_modes, n_shapes
        self.gate_weight, self.most_together = gate_weight, most_together
        self.geometry = ScanGeometry(
            n_channels, n_regions, n_shapes, noise_share, sizes, n_rounds, modality
        )
        self._linalg = TORCH_LINALG
        n_placings = most_together - 1
        n_inputs = n_features(n_scans, n_modes, n_rounds, n_placings)
        layers = {
            **transformer_layers(n_channels, n_regions, n_modes, width, depth, n_heads),
            **picking_layers(n_modes, n_scans, n_placings, width),
            **scoring_layers(
                n_inputs, n_modes + 1, n_regions, width, local_width, n_messages
            ),
        }
        for name, layer in layers.items():
            setattr(self, name, layer)

    def set_geometry(self, leadfield: NDArray, cortex: Parcels) -> None:
        """Give the scans their scalp maps, see :class:`SourceNetwork`."""
        self.geometry.compute(leadfield, cortex)

    def set_leadfield(self, leadfield: NDArray) -> None:
        """Serve other electrodes from now on, see :class:`SourceNetwork`."""
        self.geometry.set_leadfield(leadfield)

    def prepare_leadfield(self, leadfield: NDArray) -> None:
        """Compute beforehand what electrodes need, see :class:`SourceNetwork`."""
        self.geometry.prepare(leadfield)

    def serving(self, leadfield: NDArray) -> ScanNetwork:
        """Return this network for other electrodes, see :class:`SourceNetwork`."""
        other = copy.copy(self)
        other._modules = dict(self._modules)
        other.geometry = self.geometry.serving(leadfield)
        return other

    def share_geometry(self, other: ScanNetwork) -> None:
        """Use the geometry of another network, see :class:`SourceNetwork`."""
        self.geometry = other.geometry

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
        probability = source_probability(here, anywhere)
        # In memory a region's samples follow each other, as images keep them.
        activity = (loadings * probability[:, None]).mT @ courses
        return activity.mT, probability

    def whiten(self, eeg: Tensor) -> Tensor:
        """Whiten EEG, shape (..., n_channels), as the scalp maps are.

        Raises
        ------
        RuntimeError
            The network has not been given its head model.
        """
        if not self.geometry.is_set:
            msg = "The network has no head model; call set_geometry first."
            raise RuntimeError(msg)
        return eeg @ self.geometry.whitener

    def modes(self, eeg: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Whiten EEG and split it into scalp maps, time courses and strengths."""
        return temporal_modes(self.whiten(eeg), self.n_modes, linalg=self._linalg)

    def scalp_maps(self, weights: Tensor) -> Tensor:
        """Return the whitened scalp maps of sources, of norm one.

        Parameters
        ----------
        weights : tensor of shape (..., n_regions)
            Strength of a source in each parcel.

        Returns
        -------
        tensor of shape (..., n_channels)
        """
        maps = weights @ self.geometry.parcel_maps
        return maps / maps.norm(dim=-1, keepdim=True)

    def best_fit(self, maps: Tensor) -> Tensor:
        """Return how well the best patch that grows from each parcel fits.

        Parameters
        ----------
        maps : tensor of shape (n_samples, n_maps, n_channels)
            Orthonormal scalp maps of whitened EEG.

        Returns
        -------
        tensor of shape (n_samples, n_regions)
            Share of the patch's scalp map in the span of the maps.
        """
        return self.geometry.fit(maps).unflatten(1, (-1, self.n_shapes)).amax(-1)

    def search(self, maps: Tensor, n_patches: int) -> Search:
        """Search the dictionary for patches that explain scalp maps together."""
        return search_dictionary(self.geometry, maps, n_patches)

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
        level = strengths.clamp_min(_LEAST_STRENGTH).log()[..., None]
        shown = maps @ self.geometry.translation * math.sqrt(self.n_channels)
        tokens = self.embed(torch.cat([shown, level], -1))
        extra = self.extra.expand(len(tokens), -1, -1)
        hidden = self.trunk(torch.cat([extra, tokens + self.rank], 1))
        summary, constant, modes = hidden[:, 0], hidden[:, 1:2], hidden[:, 2:]
        # Fits differ in their third digit: half precision would drown them.
        with torch.autocast(maps.device.type, enabled=False):
            fit = torch.einsum("bmc,src->bsmr", maps, self.geometry.round_maps)
            patches = self._patch_features(maps, strengths, modes, summary)
            features = torch.cat([*patches, parcel_features(fit)], 1)
        scored, anywhere = self._score(features, summary)
        here = self.gate(summary) + scored[..., 0]
        # A map and its loadings change sign together: the fit carries the sign.
        local = fit[:, -1] * scored[..., 1:].transpose(1, 2)
        rows = (self.readout(modes) + local) * strengths[..., None]
        loadings = torch.cat([rows, _CONSTANT_SCALE * self.constant(constant)], 1)
        return loadings, here, anywhere

    def _patch_features(
        self, maps: Tensor, strengths: Tensor, modes: Tensor, summary: Tensor
    ) -> list[Tensor]:
        """Scan the dictionary, search on from its best patches, place some together.

        What the transformer gives for each map, (n_samples, n_modes, width), and for
        the sample, (n_samples, width), says which maps each scan takes.
        """
        geometry = self.geometry
        products = maps @ geometry.patch_maps.T
        modes, summary = modes.float(), summary.float()
        picked = torch.sigmoid(self.pick(modes) + self.pick_rank).transpose(1, 2)
        fit = picked @ products.square()  # (n_samples, n_scans, n_patches)
        sharpness = F.softplus(self.sharpness(summary))
        together = placed_patches(
            geometry, maps, products, strengths, self.most_together
        )
        fits = torch.cat([fit, *(placed.fit[:, None] for placed in together)], 1)
        return [
            dictionary_features(geometry, fits, sharpness),
            search_features(geometry, fit, maps, picked),
            *(placed_features(geometry, placed) for placed in together),
        ]

    def _score(self, features: Tensor, summary: Tensor) -> tuple[Tensor, Tensor]:
        """Score each parcel by its features, and by those of its neighbors.

        Returns scores of the parcels, (n_samples, n_regions, 1 + n_modes), and log
        odds that there is a source anywhere, (n_samples, 1).
        """
        x = self.local_in(features.transpose(1, 2))
        x = F.gelu(x + self.local_context(summary)[:, None] + self.local_region)
        for message in self.local_mid:
            neighbors = self.geometry.mean_over_neighbors(x)
            x = x + F.gelu(message(torch.cat([x, neighbors], -1)))
        return self.local_out(x), self.anywhere(x.amax(1))

    def loss(
        self, batch: Batch, total: Callable[[Tensor], Tensor] = identity
    ) -> dict[str, Tensor]:
        """Return squared error (by way of the modes), cross-entropy of the gate, both.

        Each is relative to what the whole batch holds; ``total`` sums that over the
        parts of a batch, see :class:`~deepsif_lite.network.protocol.SourceNetwork`.
        """
        self.set_leadfield(batch.leadfield)
        maps, strengths, courses = self.modes(batch.eeg)
        loadings, here, anywhere = self.loadings(maps, strengths)
        # The gate learns from its own loss alone, which keeps it a probability.
        loadings = loadings * source_probability(here, anywhere).detach()[:, None]
        error = relative_error(loadings, courses, batch.weights, batch.waveforms, total)
        member = (batch.weights > 0).any(1).float()
        gate = membership_loss(here, anywhere, member, total)
        return {"total": error + self.gate_weight * gate, "error": error, "gate": gate}

    def _parcel_parameters(self) -> list[nn.Parameter]:
        """Return what is learned of each parcel by itself, parcels on the first axis."""
        layers = (self.readout, self.constant, self.gate)
        return [self.local_region, *(p for layer in layers for p in layer.parameters())]

    @torch.no_grad()
    def transfer_from(self, trained: ScanNetwork, matching: NDArray) -> None:
        """Take over what a network of another head learned.

        Parcels take over what it learned of their match; the rest knows no parcel.
        Scalp maps are shown as on the montage that it was made for.

        Parameters
        ----------
        trained : ScanNetwork
        matching : array of int, shape (n_regions,)
            Its parcel for each of ours.

        Raises
        ------
        MismatchError
            The two differ in more than their electrodes and parcels.
        """
        of_parcels = {id(parameter) for parameter in trained._parcel_parameters()}
        state = {
            name: parameter[matching] if id(parameter) in of_parcels else parameter
            for name, parameter in trained.named_parameters()
        }
        state["geometry.reference"] = trained.geometry.reference[matching]
        try:
            self.load_state_dict(state)
        except RuntimeError as error:
            msg = f"The networks differ in more than their head model: {error}"
            raise MismatchError(msg) from error

    def portable(self) -> ScanNetwork:
        """Return a copy on the CPU without decompositions and sparse products."""
        network = copy.deepcopy(self).cpu().eval()
        network._linalg = PORTABLE_LINALG
        network.geometry.make_portable()
        return network
