"""What training, imaging, transfer and export ask of a network."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from numpy.typing import NDArray
from torch import Tensor, nn

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels
    from ..synthesis.samples import Batch

T = TypeVar("T")


def identity(value: T) -> T:
    """Return a value as it is: the total over processes where there is one."""
    return value


class SourceNetwork(nn.Module):
    """A module that maps EEG to source activity; every network is one.

    Attributes
    ----------
    n_channels, n_regions : int
        Sizes of input and output.
    """

    n_channels: int
    n_regions: int

    @abstractmethod
    def set_geometry(self, leadfield: NDArray, cortex: Parcels) -> None:
        """Take what is known of the head beforehand, once, before anything else.

        Parameters
        ----------
        leadfield : array of shape (n_channels, n_regions)
        cortex : Cortex | Parcels
        """

    @abstractmethod
    def set_leadfield(self, leadfield: NDArray) -> None:
        """Serve the electrodes of a leadfield from now on.

        Parameters
        ----------
        leadfield : array of shape (n_channels of the cap, n_regions)
            On the cortex that the network knows.

        Raises
        ------
        MismatchError
            The network does not serve them.
        """

    def prepare_leadfield(self, leadfield: NDArray) -> None:
        """Compute what :meth:`set_leadfield` will need, in another thread say.

        Parameters
        ----------
        leadfield : array of shape (n_channels of the cap, n_regions)
        """

    @abstractmethod
    def serving(self, leadfield: NDArray) -> SourceNetwork:
        """Return this network for other electrodes; both share their weights.

        Parameters
        ----------
        leadfield : array of shape (n_channels of the cap, n_regions)

        Raises
        ------
        MismatchError
            The network does not serve them.
        """

    def share_geometry(self, other: SourceNetwork) -> None:
        """Use what another network of the same kind knows of its head.

        Parameters
        ----------
        other : SourceNetwork
        """

    @abstractmethod
    def image(self, eeg: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return activity, and the probability of each parcel that it has any.

        Parameters
        ----------
        eeg : tensor of shape (n_samples, n_times, n_channels)
            Normalized, see :func:`deepsif_lite.signals.normalize`.

        Returns
        -------
        activity : tensor of shape (n_samples, n_times, n_regions)
        probability : tensor of shape (n_samples, n_regions) | None
        """

    @abstractmethod
    def loss(
        self, batch: Batch, total: Callable[[Tensor], Tensor] = identity
    ) -> dict[str, Tensor]:
        """Return the training loss of a batch as ``"total"``, and its parts.

        Parameters
        ----------
        batch : Batch
        total : callable
            Sums a number over all parts of the batch, where this is one of several
            that are learned from at once. The losses of the parts add up to that of
            the whole.
        """

    @abstractmethod
    def transfer_from(self, trained: SourceNetwork, matching: NDArray) -> None:
        """Take over what a network of the same kind learned on another head.

        Geometry is given afterwards, by :meth:`set_geometry`.

        Parameters
        ----------
        trained : SourceNetwork
        matching : array of int, shape (n_regions,)
            Its parcel for each of ours.

        Raises
        ------
        MismatchError
            This kind of network cannot, or the two differ in more than their head.
        """

    @abstractmethod
    def portable(self) -> SourceNetwork:
        """Return a copy on the CPU made of what ONNX knows.

        Raises
        ------
        OptionError
            This kind of network has no such form.
        """
