"""The network of the paper: a residual perceptron, then three LSTM layers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..errors import MismatchError, OptionError
from .protocol import SourceNetwork, identity

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels
    from ..synthesis.samples import Batch


class PaperNetwork(SourceNetwork):
    """The network of the paper: residual blocks and LSTM layers.

    A residual perceptron filters every time point, three LSTM layers follow the
    activity over time; the last hidden state is the source activity (Sun et al. 2022,
    Fig. 2 and Methods, "Training the DNN").

    Parameters
    ----------
    n_channels, n_regions : int
        Sizes of input and output.
    width : int
        Size between the two modules (500 in the paper).
    n_layers : int
        LSTM layers.
    multiple : int
        Round hidden sizes up to a multiple of this; GPUs are quickest on those of
        128. What is added begins as zeros and stays zero in training (its gradients
        are), so the network computes and learns the same.

    Notes
    -----
    Each LSTM layer is a module of its own: cuDNN keeps the weights of a single layer
    on the chip over all time steps, not those of a stack.
    """

    def __init__(
        self,
        n_channels: int,
        n_regions: int,
        width: int = 500,
        n_layers: int = 3,
        multiple: int = 1,
    ) -> None:
        super().__init__()
        self.n_channels, self.n_regions = n_channels, n_regions
        self.block1_in = nn.Linear(n_channels, n_channels)
        self.block1_out = nn.Linear(n_channels, n_channels)
        self.block2_in = nn.Linear(n_channels, width)
        self.block2_out = nn.Linear(width, width)
        self.block2_skip = nn.Linear(n_channels, width)
        self.mix = nn.Linear(width, width)
        sizes = [width] + n_layers * [n_regions]
        self.temporal = nn.ModuleList(
            nn.LSTM(n_in, n_out, batch_first=True) for n_in, n_out in pairwise(sizes)
        )
        # Padded after they were drawn, so that a seed gives the same network.
        wide = _rounded_up(width, multiple)
        for name, n_in in (
            ("block2_in", n_channels),
            ("block2_out", wide),
            ("block2_skip", n_channels),
            ("mix", wide),
        ):
            layer = getattr(self, name)
            setattr(self, name, _embed(layer, nn.Linear(n_in, wide), n_blocks=1))
        for k, layer in enumerate(self.temporal):
            narrow = (layer.input_size, layer.hidden_size)
            padded = nn.LSTM(
                *(_rounded_up(n, multiple) for n in narrow), batch_first=True
            )
            # The four gates lie below each other.
            self.temporal[k] = _embed(layer, padded, n_blocks=4)

    def forward(self, eeg: Tensor) -> Tensor:
        """Return source activity for normalized EEG."""
        x = F.elu(self.block1_out(F.elu(self.block1_in(eeg) + eeg)))
        x = F.elu(self.block2_out(F.elu(self.block2_in(x))) + self.block2_skip(x))
        x = F.elu(self.mix(x))
        for layer in self.temporal:
            x = layer(x)[0]
        return x[..., : self.n_regions]

    def image(self, eeg: Tensor) -> tuple[Tensor, None]:
        """Return activity and nothing: this network gives no probabilities."""
        return self(eeg), None

    def set_geometry(self, leadfield: NDArray, cortex: Parcels) -> None:
        """Do nothing: this network learns all it knows of the head from examples."""

    def set_leadfield(self, leadfield: NDArray) -> None:
        """Refuse other electrodes than those it learned with."""
        n_channels = self.block1_in.in_features
        if len(leadfield) != n_channels:
            msg = (
                f"leadfield of {len(leadfield)} channels: a network of kind 'paper' "
                f"serves its own {n_channels} alone; use a 'lite' one."
            )
            raise MismatchError(msg)

    def serving(self, leadfield: NDArray) -> PaperNetwork:
        """Return this network, for it has one montage."""
        self.set_leadfield(leadfield)
        return self

    def loss(
        self, batch: Batch, total: Callable[[Tensor], Tensor] = identity
    ) -> dict[str, Tensor]:
        """Return the summed squared error, the code's reduction, as ``total``.

        The sum, not the mean: Adam's weight decay and epsilon are tuned to it. So the
        losses of parts of a batch add up as they are, and nothing is asked of ``total``.
        """
        error = F.mse_loss(self(batch.eeg), batch.activity, reduction="sum")
        return {"total": error}

    def transfer_from(self, trained: PaperNetwork, matching: NDArray) -> None:
        """Refuse: its weights do not separate the head from the rest."""
        msg = "A network of kind 'paper' has another head; only lite is transferred."
        raise MismatchError(msg)

    def portable(self) -> PaperNetwork:
        """Refuse: nobody has tried its LSTM layers in another runtime."""
        msg = "A network of kind 'paper' has no ONNX form; give a 'lite' one."
        raise OptionError(msg)


def _rounded_up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple


@torch.no_grad()
def _embed(layer: nn.Module, padded: nn.Module, n_blocks: int) -> nn.Module:
    """Copy parameters into the upper left of each block of rows, zeros elsewhere."""
    pairs = zip(layer.parameters(), padded.parameters(), strict=True)
    for narrow, wide in pairs:
        wide.zero_()
        block = narrow.unflatten(0, (n_blocks, -1))
        corner = tuple(slice(size) for size in block.shape)
        wide.unflatten(0, (n_blocks, -1))[corner] = block
    return padded
