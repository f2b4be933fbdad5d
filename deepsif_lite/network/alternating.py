"""Several patches at once, by alternating projections.

A scan of one patch at a time asks whether its map lies in the span of the scalp maps of
the EEG. Sources with one time course share a single scalp map, in whose span none of
them lies. So patches are also placed together: each in turn where it explains the most
of what the others leave (Ziskind and Wax 1988, doi:10.1109/29.7543; for MEG, Adler et
al. 2019, arXiv:1907.01500).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

_TINY = 1e-6  # norm of what rounding leaves of a map within the others
_LEAST_OWN = 0.1  # share of a patch's map outside the others', or it counts for nothing


class Placed(NamedTuple):
    """Patches placed together.

    Attributes
    ----------
    fit : tensor of shape (n_samples, n_patches)
        Share of the EEG that is explained with this patch in place of the one of the
        placed patches that it replaces best.
    patches : tensor of int, shape (n_samples, n_sources)
        Those that explain the most together.
    gain : tensor of shape (n_samples, n_sources)
        Share of the EEG that each adds to the others.
    """

    fit: Tensor
    patches: Tensor
    gain: Tensor


@torch.no_grad()
def place_together(
    patch_maps: Tensor, maps: Tensor, products: Tensor, power: Tensor, most: int
) -> Iterator[Placed]:
    """Place two patches, three, and so on.

    Parameters
    ----------
    patch_maps : tensor of shape (n_patches, n_channels)
        Unit norm.
    maps : tensor of shape (n_samples, n_modes, n_channels)
        Orthonormal scalp maps of the EEG.
    products : tensor of shape (n_samples, n_modes, n_patches)
        ``maps @ patch_maps.T``.
    power : tensor of shape (n_samples, n_modes)
        Share of the EEG that each map has.
    most : int
        The last number of patches.

    Yields
    ------
    Placed
    """
    scale = power.sqrt()[..., None]
    data, products = maps * scale, products * scale
    placing = _Placing(data, products, patch_maps)
    first = products.square().sum(1).argmax(-1)
    chosen = [placing.choose(first)]
    for count in range(2, most + 1):
        chosen.append(placing.best_beside(chosen).choice)
        fits, gains = [], []
        for _ in range(count):
            # The one placed first is the first to be placed anew.
            best = placing.best_beside(chosen[1:])
            chosen = [*chosen[1:], best.choice]
            fits.append(best.fit)
            gains.append(best.gain)
        yield Placed(
            torch.stack(fits).amax(0),
            torch.stack([choice.patch for choice in chosen], 1),
            torch.stack(gains, 1),
        )


class _Choice(NamedTuple):
    """A patch of each sample, its map, and what that has in common with all others."""

    patch: Tensor
    map: Tensor
    overlap: Tensor


class _Best(NamedTuple):
    """The patch that adds the most to others.

    With the share of the EEG that each patch explains with the others, ``fit``,
    (n_samples, n_patches), and what the one found adds, ``gain``, (n_samples,).
    """

    choice: _Choice
    fit: Tensor
    gain: Tensor


class _Placing:
    """Places patches. Of a sample alone, it computes nothing twice.

    A patch that is placed anew mostly stays where it was, and to compare its map with
    all others is what placing costs.
    """

    def __init__(self, data: Tensor, products: Tensor, patch_maps: Tensor) -> None:
        self._data, self._products, self._patch_maps = data, products, patch_maps
        self._remembers = (
            len(data) == 1
            and data.device.type == "cpu"  # a GPU would have to be waited for
            and not torch.compiler.is_exporting()
        )
        self._choices: dict[int, _Choice] = {}
        self._best: dict[tuple[int, ...], _Best] = {}

    def choose(self, patch: Tensor) -> _Choice:
        """Take a patch of each sample, (n_samples,)."""
        if self._remembers and (known := self._choices.get(int(patch))):
            return known
        own = self._patch_maps[patch]
        choice = _Choice(patch, own, own @ self._patch_maps.T)
        if self._remembers:
            self._choices[int(patch)] = choice
        return choice

    def best_beside(self, others: list[_Choice]) -> _Best:
        """Find the patch that adds the most to others."""
        if not self._remembers:
            return self._find(others)
        key = tuple(int(choice.patch) for choice in others)
        if key not in self._best:
            self._best[key] = self._find(others)
        return self._best[key]

    def _find(self, others: list[_Choice]) -> _Best:
        maps, overlap = _orthonormal(others)
        explained = self._data @ maps.mT  # (n_samples, n_modes, n_others)
        left = torch.baddbmm(self._products, explained, overlap, alpha=-1)
        own = 1 - overlap.square().sum(1)
        gain = left.square().sum(1) / own.clamp_min(_LEAST_OWN) * (own > _LEAST_OWN)
        best, patch = gain.max(-1)
        fit = explained.square().sum((1, 2))[:, None] + gain
        return _Best(self.choose(patch), fit, best)


def _orthonormal(choices: list[_Choice]) -> tuple[Tensor, Tensor]:
    """Return an orthonormal basis of the maps of patches (Gram and Schmidt).

    And what it has in common with the maps of all patches.
    """
    basis: list[tuple[Tensor, Tensor]] = []
    for choice in choices:
        own, overlap = choice.map, choice.overlap
        for other, its_overlap in basis:
            along = (own * other).sum(-1, keepdim=True)
            own, overlap = own - along * other, overlap - along * its_overlap
        # A patch placed twice, where there is nothing to explain, adds nothing.
        size = own.norm(dim=-1, keepdim=True).clamp_min(_TINY)
        basis.append((own / size, overlap / size))
    maps, overlaps = zip(*basis, strict=True)
    return torch.stack(maps, 1), torch.stack(overlaps, 1)
