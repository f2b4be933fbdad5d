"""The loss of the scan network, and the probability that it learns."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


def source_probability(here: Tensor, anywhere: Tensor) -> Tensor:
    """Return the probability that a parcel is active, from two log odds.

    Parameters
    ----------
    here : tensor of shape (n_samples, n_regions)
        That a parcel belongs to a source, if there is one.
    anywhere : tensor of shape (n_samples, 1)
        That there is one.

    Returns
    -------
    tensor of shape (n_samples, n_regions)
    """
    return anywhere.sigmoid() * here.sigmoid()


def relative_error(
    loadings: Tensor,
    courses: Tensor,
    truth: Tensor,
    waves: Tensor,
    total: Callable[[Tensor], Tensor],
) -> Tensor:
    """Return the squared error over all time points and parcels.

    It is a share of the energy of the true activity, and 0 in a batch that holds no
    source, of whose energy nothing can be a share. Both activities are courses times
    maps, so it follows from the products of the courses and never unfolds time.

    Parameters
    ----------
    loadings : tensor of shape (n_samples, n_courses, n_regions)
    courses : tensor of shape (n_samples, n_courses, n_times)
    truth : tensor of shape (n_samples, n_sources, n_regions)
    waves : tensor of shape (n_samples, n_sources, n_times)
    total : callable
        Sums the energy over all parts of the batch.

    Returns
    -------
    tensor of shape ()
    """
    # A small difference of large sums: not in half precision.
    with torch.autocast(courses.device.type, enabled=False):
        own = (courses @ courses.mT @ loadings * loadings).sum()
        shared = (courses @ waves.mT @ truth * loadings).sum()
        energy = (waves @ waves.mT @ truth * truth).sum()
    whole = total(energy)
    # Infinity instead of a branch, for which a GPU would be waited for.
    whole = torch.where(whole > 0, whole, torch.inf)
    return (own - 2 * shared + energy) / whole


def membership_loss(
    here: Tensor, anywhere: Tensor, member: Tensor, total: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return minus the log-likelihood of what is true, over the active parcels.

    Parameters
    ----------
    here : tensor of shape (n_samples, n_regions)
    anywhere : tensor of shape (n_samples, 1)
    member : tensor of shape (n_samples, n_regions)
        1 where a parcel belongs to a source.
    total : callable
        Sums the number of active parcels over all parts of the batch.

    Returns
    -------
    tensor of shape ()
    """
    present = member.amax(1, keepdim=True)
    # A recording without a source says nothing about where sources reach.
    counts = present.expand_as(member)
    reach = F.binary_cross_entropy_with_logits(here, member, counts, reduction="sum")
    presence = F.binary_cross_entropy_with_logits(anywhere, present, reduction="sum")
    # A batch without a source is weighed as one with a single active parcel.
    return (reach + presence) / total(member.sum()).clamp_min(1)
