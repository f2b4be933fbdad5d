"""Engine for GPUs: all simulations at once, steps queued without Python in between.

Rates of the last steps lie in one long strip, newest at the end. Seen through a
window of the longest delay, the coupling of a step is one product of a fixed sparse
matrix, links by (delay, source), with the window; the next step slides it by one. At
the end of the strip its last part is moved to the front. On CUDA the steps of a strip
are recorded once as a graph and then replayed, so that a step costs no Python; only the
noise is asked for once a strip and simulation. Tests compare it with the other engines
on the CPU, where the very same steps run, and the replayed graph with these steps where
there is a CUDA device.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray

from ..runs import pick_device
from .model import MODEL
from .problem import Problem

#: Steps in a strip, beyond the longest delay.
STRIP = 128


def run(
    problem: Problem, dtype: DTypeLike, chunk_samples: int, n_jobs: int
) -> Iterator[NDArray[np.floating]]:
    """Integrate and yield y1 - y2, shape (n_sims, up to chunk_samples, n_nodes), mV.

    Runs on CUDA where torch finds it, else on the CPU. The noise is torch's, one
    generator for each simulation; it differs between devices and from other engines.
    """
    del n_jobs  # torch has its own threads
    device = torch.device(pick_device())
    brains = _Brains(problem, getattr(torch, np.dtype(dtype).name), device)
    strips = _kept_samples(brains, problem.stride)
    n_samples = problem.n_steps // problem.stride
    rest = next(strips)
    for start in range(0, n_samples, chunk_samples):
        count = min(chunk_samples, n_samples - start)
        parts = [rest]
        while sum(part.shape[1] for part in parts) < count:
            parts.append(next(strips))
        joined = np.concatenate(parts, axis=1)
        yield joined[:, :count]
        rest = joined[:, count:]


def _kept_samples(brains: _Brains, stride: int) -> Iterator[NDArray[np.floating]]:
    """Yield what the stride keeps of strip after strip, (n_sims, n_kept, n_nodes)."""
    for step in itertools.count(0, STRIP):
        kept = brains.advance()[-step % stride :: stride]
        yield kept.permute(2, 0, 1).to("cpu", copy=True).numpy()


class _Brains:
    """State of all simulations; arrays end in the simulations."""

    def __init__(self, problem: Problem, dtype: torch.dtype, device: torch.device):
        self.horizon, self.dt = problem.horizon, problem.dt
        self.links = _links(problem).to(device, dtype)
        shape = (problem.n_nodes, problem.n_sims)
        potential = np.empty((self.horizon, *shape))
        state = np.empty((6, *shape))
        for sim in range(problem.n_sims):
            past = problem.history(sim)
            potential[..., sim] = past[:, 1] - past[:, 2]
            state[..., sim] = past[-1]

        def tensor(array: NDArray) -> torch.Tensor:
            return torch.tensor(np.ascontiguousarray(array), dtype=dtype, device=device)

        self.state = tensor(state)
        self.rates = torch.zeros(
            self.horizon + STRIP, *shape, dtype=dtype, device=device
        )
        self.rates[: self.horizon] = _rate(tensor(potential))
        self.drive = tensor(problem.gain.T) * MODEL.excitatory_rate
        self.mean_input = tensor(problem.mean_input)
        self.noise_amplitude = tensor(problem.noise_amplitude())
        self.generators = [
            torch.Generator(device).manual_seed(_torch_seed(problem.noise_seed(sim)))
            for sim in range(problem.n_sims)
        ]
        self.kicks = torch.zeros(STRIP, *shape, dtype=dtype, device=device)
        self.psp = torch.empty_like(self.kicks)
        self.graph: torch.cuda.CUDAGraph | None = None
        self._draw()

    def advance(self) -> torch.Tensor:
        """Take ``STRIP`` steps and return y1 - y2, shape (STRIP, n_nodes, n_sims)."""
        if self.state.device.type != "cuda":
            self._strip()
        else:
            self.graph = self.graph or self._record()
            self.graph.replay()
        # For the next strip: a GPU is still at this one while Python asks for it.
        self._draw()
        return self.psp

    def _draw(self) -> None:
        """Draw the noise of a strip, each simulation from its own generator."""
        for sim, generator in enumerate(self.generators):
            if self.noise_amplitude[sim] > 0:
                normals = torch.randn(
                    self.kicks.shape[:2],
                    generator=generator,
                    dtype=self.kicks.dtype,
                    device=self.kicks.device,
                )
                amplitude = float(self.noise_amplitude[sim])
                torch.mul(normals, amplitude, out=self.kicks[..., sim])

    def _record(self) -> torch.cuda.CUDAGraph:
        """Record the steps of a strip; recording itself leaves the state alone."""
        before = self.state.clone(), self.rates.clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # libraries set themselves up on first use
            self._strip()
        torch.cuda.current_stream().wait_stream(stream)
        self.state.copy_(before[0])
        self.rates.copy_(before[1])
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._strip()
        return graph

    def _strip(self) -> None:
        """Take ``STRIP`` steps in place: run as it is on a CPU, recorded on a GPU."""
        for step in range(STRIP):
            window = self.rates[step : step + self.horizon]
            coupling = self.links @ window.flatten(0, 1)
            incoming = coupling + self.mean_input
            self._heun(incoming, window[-1], self.kicks[step])
            torch.sub(self.state[1], self.state[2], out=self.psp[step])
            self.rates[step + self.horizon] = _rate(self.psp[step])
        self.rates[: self.horizon] = self.rates[STRIP:].clone()

    def _heun(
        self, incoming: torch.Tensor, fired: torch.Tensor, kick: torch.Tensor
    ) -> None:
        first = self._derivatives(self.state, fired, incoming)
        predicted = self.state + self.dt * first
        predicted[4] += kick
        second = self._derivatives(
            predicted, _rate(predicted[1] - predicted[2]), incoming
        )
        self.state += self.dt / 2 * (first + second)
        self.state[4] += kick

    def _derivatives(
        self, y: torch.Tensor, fired: torch.Tensor, incoming: torch.Tensor
    ) -> torch.Tensor:
        m = MODEL
        a, b = m.excitatory_rate, m.inhibitory_rate
        to_excitatory = (
            m.excitatory_to_pyramidal
            * m.contacts
            * _rate(m.pyramidal_to_excitatory * m.contacts * y[0])
        )
        to_inhibitory = (
            m.inhibitory_to_pyramidal
            * m.contacts
            * _rate(m.pyramidal_to_inhibitory * m.contacts * y[0])
        )
        return torch.stack(
            [
                y[3],
                y[4],
                y[5],
                self.drive * fired - 2 * a * y[3] - a**2 * y[0],
                self.drive * (incoming + to_excitatory) - 2 * a * y[4] - a**2 * y[1],
                m.inhibitory_gain * b * to_inhibitory - 2 * b * y[5] - b**2 * y[2],
            ]
        )


def _rate(potential: torch.Tensor) -> torch.Tensor:
    """Return the firing rate S(potential), 1/ms."""
    return (
        2 * MODEL.max_rate * torch.sigmoid(MODEL.slope * (potential - MODEL.threshold))
    )


def _links(problem: Problem) -> torch.Tensor:
    """Weights as a sparse matrix, targets by (place in the window, source)."""
    target, source = np.nonzero(problem.connectome.weights)
    place = problem.horizon - 1 - problem.delays[target, source]
    column = place * problem.n_nodes + source
    links = torch.sparse_coo_tensor(
        torch.as_tensor(np.stack([target, column])),
        torch.as_tensor(problem.connectome.weights[target, source]),
        (problem.n_nodes, problem.horizon * problem.n_nodes),
        check_invariants=True,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support")
        return links.to_sparse_csr()


def _torch_seed(seed: np.random.SeedSequence) -> int:
    return int(seed.generate_state(1, np.uint64)[0] >> 1)  # torch's are signed
