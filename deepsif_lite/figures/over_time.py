"""Images over time: courses of sources, frames beside each other, and as a loop."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from .style import WIDTH, method_color, method_name, styled
from .views import LINE, color_bar, color_scale, draw_view, of_largest, view_grid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from ..cortex.surface import Cortex

_PAUSE = 0.12  # s a frame of a loop


@styled
def plot_courses(
    courses: Mapping[str, Mapping[str, NDArray]], times: ArrayLike
) -> tuple[Figure, NDArray]:
    """Draw the time course of each source beside the true one (PNAS Fig. 3E).

    Parameters
    ----------
    courses : mapping of source to mapping of method to array of shape (n_times,)
        ``"truth"`` among the methods; each course is drawn at its own scale.
    times : array of shape (n_times,)
        Seconds.

    Returns
    -------
    fig, axes : Figure and array of Axes
    """
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(
        1,
        len(courses),
        figsize=(WIDTH, 1.9),
        layout="constrained",
        sharey=True,
        squeeze=False,
    )
    axes = axes[0]
    for ax, (source, of_methods) in zip(axes, courses.items(), strict=True):
        for method, course in of_methods.items():
            scaled = np.asarray(course) / np.abs(course).max()
            milliseconds = 1e3 * np.asarray(times)
            color, name = method_color(method), method_name(method)
            ax.plot(milliseconds, scaled, color=color, label=name, lw=1.1)
        ax.set_title(source, fontsize=9)
        ax.set(xlabel="time (ms)")
    axes[0].set_ylabel("activity / its largest")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, ncols=len(labels), loc="outside lower center")
    return fig, axes


@styled
def plot_frames(
    activities: Mapping[str, NDArray],
    cortex: Cortex,
    times: ArrayLike,
    at: Sequence[float],
    *,
    view: str = "lh-lateral",
) -> tuple[Figure, NDArray]:
    """Show images at a few times, one row a method (PNAS SI Fig. S13).

    Parameters
    ----------
    activities : mapping of method to array of shape (n_times, n_regions)
        Each row is scaled to its own largest magnitude.
    cortex : Cortex
    times : array of shape (n_times,)
        Seconds.
    at : sequence of float
        Times shown, s.
    view : str
        As of :func:`deepsif_lite.figures.plot_cortex`.

    Returns
    -------
    fig, axes : Figure and array of Axes of shape (n_methods, n_frames)
    """
    times = np.asarray(times)
    samples = np.searchsorted(times, at).clip(max=len(times) - 1)
    beside = {"height": LINE, "width": 1.0}
    views = [view] * len(samples)
    fig, axes = view_grid(cortex, "inflated", views, len(activities), **beside)
    cmap, norm = color_scale([0, 1], None, 0, 1)
    for row, (method, activity) in zip(axes, activities.items(), strict=True):
        scaled = of_largest(activity)
        for ax, sample in zip(row, samples, strict=True):
            draw_view(ax, scaled[sample], cortex, view, "inflated", cmap, norm, {})
        row[0].text(
            -0.08,
            0.5,
            method_name(method),
            transform=row[0].transAxes,
            rotation=90,
            ha="center",
            va="center",
            fontsize=8,
            color=method_color(method),
        )
    for ax, time in zip(axes[0], times[samples], strict=True):
        ax.set_title(f"{1e3 * time:.0f} ms", fontsize=8, weight="normal", loc="center")
    color_bar(fig, axes, cmap, norm, "magnitude / its largest", shrink=0.9)
    return fig, axes


@styled
def make_movie(
    activities: Mapping[str, NDArray],
    cortex: Cortex,
    times: ArrayLike,
    at: Sequence[float],
    *,
    view: str = "lh-lateral",
    dpi: float = 90,
) -> bytes:
    """Make a loop of images over time, a small GIF (PNAS Movies S1 to S3).

    Parameters
    ----------
    activities, cortex, times, at, view
        As of :func:`plot_frames`, which is the static picture of it.
    dpi : float
        Sharpness; the size of the file grows with it.

    Returns
    -------
    bytes
        For ``IPython.display.Image``.
    """
    import matplotlib.pyplot as plt
    from PIL import Image

    frames = []
    for time in at:
        fig, _ = plot_frames(activities, cortex, times, [time], view=view)
        with BytesIO() as buffer:
            fig.savefig(buffer, dpi=dpi, bbox_inches=None)
            buffer.seek(0)
            frames.append(
                Image.open(buffer).convert(
                    "P", palette=Image.Palette.ADAPTIVE, colors=64
                )
            )
        plt.close(fig)
    with BytesIO() as out:
        frames[0].save(
            out,
            format="GIF",
            save_all=True,
            append_images=frames[1:],
            duration=int(1e3 * _PAUSE),
            loop=0,
            optimize=True,
        )
        return out.getvalue()


def movie_html(movie: bytes, alt: str) -> str:
    """Return HTML that plays a movie, or shows its middle to who asked for no motion.

    Parameters
    ----------
    movie : bytes
        Of :func:`make_movie`.
    alt : str
        What is to be seen, in words.

    Returns
    -------
    str
        Needs no other file.
    """
    from PIL.GifImagePlugin import GifImageFile

    with GifImageFile(BytesIO(movie)) as gif, BytesIO() as still:
        gif.seek(gif.n_frames // 2)
        gif.convert("P").save(still, format="PNG", optimize=True)
        picture = b64encode(still.getvalue()).decode()
    return (
        f'<picture><source media="(prefers-reduced-motion: reduce)" '
        f'srcset="data:image/png;base64,{picture}"><img alt="{escape(alt)}" '
        f'src="data:image/gif;base64,{b64encode(movie).decode()}"></picture>'
    )
