"""How long runs behave: where they compute, how they show progress, hold and stop."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import FolderInUse, OptionError
from .paths import full_disk_named, remove_partial_files

if TYPE_CHECKING:
    from tqdm import tqdm

logger = logging.getLogger(__name__)

SECONDS_PER_LINE = 10.0
_LOCK, _OWNER = ".lock", ".running"
_STOPS = (signal.SIGINT, signal.SIGTERM)
_WATCH_SECONDS = 0.5  # between two looks of a worker at its parent


def pick_device(device: str | None = None) -> str:
    """Return where torch computes: the device asked for, or CUDA where there is one.

    Training, simulation and imaging all choose by this rule.

    Parameters
    ----------
    device : str | None
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``.

    Raises
    ------
    OptionError
        This machine, or this build of torch, has no such device.
    """
    import torch

    there = torch.cuda.is_available()
    if device is None:
        return "cuda" if there else "cpu"
    try:
        wanted = torch.device(device)
    except (RuntimeError, TypeError) as error:
        msg = f"device={device!r} is unknown; give 'cpu', 'cuda' or none."
        raise OptionError(msg) from error
    if wanted.type == "cuda" and not there:
        msg = (
            f"device={device!r}: torch finds no graphics card, or was built without "
            "CUDA; give 'cpu', or none."
        )
        raise OptionError(msg)
    return str(device)


@contextmanager
def only_run_in(folder: str | Path) -> Iterator[Path]:
    """Hold a folder, so that no second process writes to it.

    The system gives the folder free when the process ends, however it ends. What a
    killed one left half written in the folder and those just inside is removed.

    Parameters
    ----------
    folder : path
        Created where needed.

    Yields
    ------
    folder : Path

    Raises
    ------
    FolderInUse
        Another process holds it.
    """
    from filelock import FileLock, Timeout

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock, owner = FileLock(folder / _LOCK), folder / _OWNER
    try:
        lock.acquire(blocking=False)
    except Timeout:
        msg = (
            f"{folder} is in use by process {_owner_of(owner)}; wait until it has "
            "ended, stop it, or choose another folder."
        )
        raise FolderInUse(msg) from None
    try:
        # Not in the locked file, which Windows lets nobody else read.
        with full_disk_named(owner):
            owner.write_text(f"{os.getpid()}\n", encoding="utf-8")
        remove_partial_files(folder)
        yield folder
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _owner_of(path: Path) -> str:
    """Return the process id in a file that may be gone or not yet written."""
    try:
        return path.read_text(encoding="utf-8").strip() or "unknown"
    except OSError:
        return "unknown"


@contextmanager
def hold_stops() -> Iterator[list[int]]:
    """Hold Ctrl-C and SIGTERM back until the block has ended.

    So what must not be cut, such as a training step, is finished, and its result can
    be kept. The signal then does what it would have done. Only the main thread of a
    program receives signals; in another one nothing is held.

    Yields
    ------
    held : list of int
        Signals that came meanwhile: look at it between steps.
    """
    held: list[int] = []
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {each: signal.getsignal(each) or signal.SIG_DFL for each in _STOPS}
    for each, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup wants it
            signal.signal(each, lambda number, _: held.append(number))
    try:
        yield held
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if held:
        signal.raise_signal(held[0])


@contextmanager
def terminate_like_interrupt() -> Iterator[None]:
    """Let SIGTERM raise KeyboardInterrupt in the block, as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def in_workers(tasks: Iterable, n_jobs: int, **options) -> Iterator:
    """Run tasks in worker processes that end when this process does.

    Workers of joblib would otherwise finish what they were given, minutes of it, after
    their parent was killed, and write beside the process that goes on.

    Parameters
    ----------
    tasks : iterable
        Of ``joblib.delayed(function)(...)``.
    n_jobs : int
        As joblib counts. Inside ``joblib.parallel_config("dask")`` the workers are
        Dask's, which look after themselves.
    **options
        Of ``joblib.Parallel``, above all ``return_as``.

    Returns
    -------
    iterator
        Of what the tasks return.
    """
    from joblib import Parallel, delayed

    parent = os.getpid()
    watched = (
        delayed(_run_watched)(parent, function, arguments, keywords)
        for function, arguments, keywords in tasks
    )
    return Parallel(n_jobs, **options)(watched)


def _run_watched(
    parent: int, function: Callable, arguments: tuple, keywords: dict
) -> object:
    # Neither the parent itself nor a worker of Dask is to end with this parent.
    if multiprocessing.current_process().name.startswith("LokyProcess"):
        _end_with(parent)
    return function(*arguments, **keywords)


def _end_with(parent: int) -> None:
    """End this process soon after its parent (where orphans get another: not Windows)."""
    name = f"watches-{parent}"
    if not any(thread.name == name for thread in threading.enumerate()):
        threading.Thread(target=_watch, args=(parent,), name=name, daemon=True).start()


def _watch(parent: int) -> None:
    while os.name != "posix" or os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)  # no cleaning up, which would wait for the parent


def progress_bar(show: bool, **options) -> tqdm | ProgressLines:
    """Return a bar (:func:`tqdm.auto.tqdm`) that ``show=False`` silences.

    The environment silences it too: ``TQDM_DISABLE=1``. (tqdm's own bars for
    notebooks look at that too late, when their widget is already on the page.) A
    machine without tqdm logs a line now and then instead.
    """
    show = show and not os.environ.get("TQDM_DISABLE")
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return ProgressLines(show, **options)
    return tqdm(**options, disable=not show)


class ProgressLines:
    """Progress as lines of the log; the part of tqdm's interface that we use.

    Parameters
    ----------
    show : bool
        Log anything at all.
    total, initial : int
        Units of the whole work, and those done before.
    desc, unit : str
        What is done, and in units of what.
    """

    def __init__(
        self, show: bool, *, total: int, initial: int = 0, desc="", unit="it", **_
    ) -> None:
        self.show, self.total, self.initial, self.n = show, total, initial, initial
        self.desc, self.unit, self.note = desc, unit, ""
        self._began = self._told = time.monotonic()

    def update(self, n: int = 1) -> None:
        """Count ``n`` more units, and log a line if the last is long ago."""
        self.n += n
        now = time.monotonic()
        if self.show and now - self._told >= SECONDS_PER_LINE:
            self._told = now
            rate = (self.n - self.initial) / (now - self._began)
            left = (self.total - self.n) / rate / 60
            logger.info(
                f"{self.desc}: {self.n:,} of {self.total:,} {self.unit}s, "
                f"{rate:,.0f} a second, {left:.1f} min left{self.note}"
            )

    def set_postfix(self, **values: str) -> None:
        """Add values to the lines from now on."""
        self.note = "".join(f", {name} {value}" for name, value in values.items())

    def __enter__(self) -> ProgressLines:
        return self

    def __exit__(self, *_) -> None:
        pass
