"""Work through many recordings: in batches, several at a time, one core each.

Threads of one matrix product that wait for each other cost more than the product
where cores are few or shared. Whole batches side by side wait for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")

SIZE = 16  # recordings of a batch, about 2 MB each for each image of them


def run_batches(
    work: Callable[[range], Result],
    n_samples: int,
    n_jobs: int = -1,
    first: int = 0,
    size: int = SIZE,
) -> Iterator[Result]:
    """Yield ``work(indices)`` of one batch after the other, in order.

    Parameters
    ----------
    work : callable
        Takes the indices of a batch. Several run at a time, in threads.
    n_samples : int
        Indices in all.
    n_jobs : int
        Threads; -1 stands for all cores.
    first : int
        First index.
    size : int
        Indices of a batch.
    """
    from joblib import Parallel, delayed

    stop = first + n_samples
    starts = range(first, stop, size)
    batches = (range(start, min(start + size, stop)) for start in starts)
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    with one_thread_each():
        yield from parallel(delayed(work)(indices) for indices in batches)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Keep BLAS and torch from starting threads of their own."""
    from threadpoolctl import threadpool_limits

    with one_thread_of_torch(), threadpool_limits(1, user_api="blas"):
        yield


@contextmanager
def one_thread_of_torch() -> Iterator[None]:
    """Keep torch alone from it, which takes no time."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)  # what new threads of ours start with, too
    try:
        yield
    finally:
        torch.set_num_threads(before)
