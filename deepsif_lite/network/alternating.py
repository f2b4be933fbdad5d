"""Several patches at once, by alternating projections.

A scan of one patch at a time asks whether its map lies in the span of the scalp maps of
the EEG. Sources with one time course share a single scalp map, in whose span none of
them lies. So patches are also placed together: each in turn where it explains the most
of what the others leave (Ziskind and Wax 1988, doi:10.1109/29.7543; for MEG, Adler et
al. 2019, arXiv:1907.01500).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, reduce
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
    placing = _Placing(patch_maps, maps, products, power)
    chosen = [placing.choose(placing.alone.argmax(-1))]
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
            reduce(torch.maximum, fits),
            torch.stack([choice.patch for choice in chosen], 1),
            torch.stack(gains, 1),
        )


class _Choice:
    """A patch of each sample, and what its map has to do with those of all others."""

    def __init__(self, placing: _Placing, patch: Tensor) -> None:
        self._placing, self.patch = placing, patch

    @cached_property
    def products(self) -> tuple[Tensor, Tensor, Tensor]:
        """Its map, (n_samples, n_channels), and its products with the maps of all.

        Those are (n_samples, n_patches): the plain one, and twice the one by way of the
        covariance of the EEG. To compute them is most of what placing costs, and the
        patches placed last need none.
        """
        return self._placing.products_of(self.patch)


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

    def __init__(
        self, patch_maps: Tensor, maps: Tensor, products: Tensor, power: Tensor
    ) -> None:
        self._patch_maps, self._products = patch_maps, products
        self._maps, self._power = maps, power[..., None]
        # What each patch explains alone.
        self.alone = (self._power.mT @ products.square())[:, 0]
        self._remembers = (
            len(maps) == 1
            and maps.device.type == "cpu"  # a GPU would have to be waited for
            and not torch.compiler.is_compiling()
        )
        self._choices: dict[int, _Choice] = {}
        self._best: dict[tuple[int, ...], _Best] = {}

    def choose(self, patch: Tensor) -> _Choice:
        """Take a patch of each sample, (n_samples,)."""
        if not self._remembers:
            return _Choice(self, patch)
        return self._choices.setdefault(int(patch), _Choice(self, patch))

    def products_of(self, patch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what a choice knows of its patch, see there."""
        own = self._patch_maps[patch]
        along = 2 * self._power * (self._maps @ own[..., None])
        twice_shared = (along.mT @ self._products)[:, 0]
        return own, own @ self._patch_maps.T, twice_shared

    def best_beside(self, others: list[_Choice]) -> _Best:
        """Find the patch that adds the most to others."""
        if not self._remembers:
            return self._find(others)
        key = tuple(int(choice.patch) for choice in others)
        if key not in self._best:
            self._best[key] = self._find(others)
        return self._best[key]

    def _find(self, others: list[_Choice]) -> _Best:
        maps, overlaps, shares = _orthonormal(others)
        along = self._maps @ maps.mT  # (n_samples, n_modes, n_others)
        among = along.mT @ (self._power * along)
        # The square of what the others leave of each patch's products with the EEG.
        # Every pass over all patches counts, so products are subtracted at once.
        left, own = self.alone, self.alone.new_ones(())
        for row, overlap, taken in zip(among.unbind(1), overlaps, shares, strict=True):
            for share, other in zip(row.split(1, -1), overlaps, strict=True):
                taken = torch.addcmul(taken, share, other, value=-1)
            left = torch.addcmul(left, overlap, taken, value=-1)
            own = torch.addcmul(own, overlap, overlap, value=-1)
        gain = left.clamp_min(0) / own.clamp_min(_LEAST_OWN) * (own > _LEAST_OWN)
        best, patch = gain.max(-1)
        fit = (self._power * along.square()).sum((1, 2))[:, None] + gain
        return _Best(self.choose(patch), fit, best)


def _orthonormal(
    choices: list[_Choice],
) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Return an orthonormal basis of the maps of patches (Gram and Schmidt).

    And the two products of each of it with the maps of all patches.
    """
    first, *more = choices
    basis: list[tuple[Tensor, ...]] = [first.products]  # of unit norm as it is
    for choice in more:
        new: tuple[Tensor, ...] = choice.products
        for other in basis:
            along = (new[0] * other[0]).sum(-1, keepdim=True)
            pairs = zip(new, other, strict=True)
            new = tuple(torch.addcmul(a, along, b, value=-1) for a, b in pairs)
        # A patch placed twice, where there is nothing to explain, adds nothing.
        size = new[0].norm(dim=-1, keepdim=True).clamp_min(_TINY)
        basis.append(tuple(each / size for each in new))
    maps, overlaps, shares = zip(*basis, strict=True)
    return torch.stack(maps, 1), overlaps, shares
