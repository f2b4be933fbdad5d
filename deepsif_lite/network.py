"""The networks: the paper's, and a small one that a laptop can train.

Both map normalised EEG, shape (n_samples, n_times, n_channels), to source activity,
shape (n_samples, n_times, n_regions), and both give their training loss on a batch,
so training and imaging never ask which one they hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from .scan_network import ScanNetwork

if TYPE_CHECKING:
    from .cortex import Cortex
    from .synthesis import Batch


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

    def image(self, eeg: Tensor) -> tuple[Tensor, None]:
        """Return activity and nothing: this network gives no probabilities."""
        return self(eeg), None

    def set_geometry(self, leadfield: NDArray, cortex: Cortex) -> None:
        """Do nothing: this network learns all it knows of the head from examples."""

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the summed squared error, the code's reduction, as ``total``.

        The sum, not the mean: Adam's weight decay and epsilon are tuned to it.
        """
        total = F.mse_loss(self(batch.eeg), batch.activity, reduction="sum")
        return {"total": total}


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
