"""The networks by name: the paper's, and a small one that a laptop can train.

Both map normalized EEG, shape (n_samples, n_times, n_channels), to source activity,
shape (n_samples, n_times, n_regions), and both give their training loss on a batch,
so training and imaging never ask which one they hold.
"""

from __future__ import annotations

from torch import nn

from .paper import PaperNetwork
from .scan import ScanNetwork

# The class of each kind of network.
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
