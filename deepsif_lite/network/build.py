"""The networks by name: the paper's, and a small one that a laptop can train.

Both are a :class:`~deepsif_lite.network.protocol.SourceNetwork`, so training, imaging,
transfer and export never ask which one they hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import check_option
from .paper import PaperNetwork
from .scan import ScanNetwork

if TYPE_CHECKING:
    from .protocol import SourceNetwork

# The class of each kind of network.
NETWORKS = {"lite": ScanNetwork, "paper": PaperNetwork}


def build_network(
    kind: str, n_channels: int, n_regions: int, **options
) -> SourceNetwork:
    """Build a network by name.

    Parameters
    ----------
    kind : {"lite", "paper"}
    n_channels, n_regions : int
        Sizes of input and output.
    **options
        Of :class:`ScanNetwork` or :class:`PaperNetwork`.

    Returns
    -------
    network : SourceNetwork
        A ``torch.nn.Module`` of random weights, drawn from torch's own generator.

    Raises
    ------
    OptionError
        No such network.
    """
    check_option("network", kind, NETWORKS)
    return NETWORKS[kind](n_channels, n_regions, **options)
