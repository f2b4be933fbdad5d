# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Solve the inverse problem by hand
#
# The forward model says what a source records; source imaging asks for the source of a recording.
# That question has no unique answer, so every method adds an assumption.
# This chapter writes down the three methods that the rest of the book compares with (minimum norm, sLORETA, LCMV), each in a few lines of NumPy, shows what each assumes, and why a network is trained instead.
#
# **Paper map.** Eq. 1 and Introduction; the methods compared in PNAS Figs. 3 and 6 and SI Fig. S12 {cite:p}`sun2022deepsif`.
#
# **Library.** The module {py:mod}`solvers <deepsif_lite.solvers>`, and {py:func}`head.resolution_matrix <deepsif_lite.head.resolution_matrix>`.
#
# **Needs.** [Chapter 2](02_forward.ipynb), eigenvectors, and what a covariance is. No graphics card.
#
# **You will learn**
# - why the minimum norm is ridge regression, and what it assumes of the brain;
# - what the regularization $\lambda^2$ does;
# - how sLORETA and LCMV differ from it, and when each is wrong;
# - what is left for a learned prior to add.
#
# **Run time.** Some ten seconds at any profile.

# %% tags=["parameters"]
profile = "lite"
seed = 2022

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import deepsif_lite as dl
from deepsif_lite.cortex import decay
from deepsif_lite.head import peak_error, resolution_matrix
from deepsif_lite.solvers import lcmv, sloreta

dl.figures.use_style()

# %% [markdown]
# ## Fewer equations than unknowns
#
# The paper's Eq. 1 relates the scalp potential $\mathbf{\phi}$ to the activity $\mathbf{j}$ of the regions:
#
# $$\mathbf{\phi}(t) = \mathbf{K}\,\mathbf{j}(t) + \mathbf{e}(t).$$
#
# $\mathbf{K}$ is the leadfield of [chapter 2](02_forward.ipynb), $\mathbf{e}$ the noise of electrodes and of activity that is not modeled.
# $\mathbf{K}$ has 75 rows and 994 columns, and the average reference takes one more equation away.
#
# We scale $\mathbf{K}$ such that the mean eigenvalue of $\mathbf{K}\mathbf{K}^\top$ is 1; sizes of noise then have a meaning of their own.

# %%
head = dl.load_head_model("template-75")
cortex, K = head.cortex, head.referenced_leadfield
n_channels, n_regions = K.shape
rank = np.linalg.matrix_rank(K)
K = K * np.sqrt(rank / np.trace(K @ K.T))
print(f"{rank} equations for {n_regions} unknowns at each time")

# %% [markdown]
# So there are activities that no electrode sees.
# Take any activity and remove what the electrodes see of it: $(\mathbf{I} - \mathbf{K}^{+}\mathbf{K})\,\mathbf{j}$, with the pseudoinverse $\mathbf{K}^{+}$.
# What remains is more than nine tenths of its power.

# %%
rng = np.random.default_rng(seed)
anything = rng.standard_normal(n_regions)
silent = anything - np.linalg.pinv(K) @ (K @ anything)
print(f"largest potential of the silent part: {np.abs(K @ silent).max():.0e}")
share = (silent @ silent) / (anything @ anything)
print(f"share of its power that is silent: {share:.2f}")

# %% [markdown]
# ## A source to find
#
# A patch of cortex on the left, with a spike of some 50 ms (full width at half maximum), in noise of a tenth of its power.

# %%
times = np.arange(250) / 500
spike = np.exp(-0.5 * ((times - 0.25) / 0.02) ** 2)
sides = cortex.centroids
center = int(np.linalg.norm(sides - [-0.05, -0.03, 0.04], axis=1).argmin())
patch = dl.grow_patch(cortex, center, rng=seed)

# %%
j = np.zeros((n_regions, len(times)))
j[patch] = decay(cortex, patch, 0.05)[:, None] * spike
clean = K @ j
e = rng.standard_normal(clean.shape)
e *= np.sqrt(0.1 * clean.var() / e.var())
phi = clean + e - (clean + e).mean(axis=0)
peak = int(spike.argmax())
x, y, z = 1e3 * sides[center]
print(f"{len(patch)} regions around ({x:.0f}, {y:.0f}, {z:.0f}) mm")

# %% [markdown]
# ## Minimum norm: ridge regression
#
# Of all activities that explain the data up to noise, take the weakest:
#
# $$\hat{\mathbf{j}} = \arg\min_{\mathbf{j}} \; \|\mathbf{\phi} - \mathbf{K}\mathbf{j}\|^2 + \lambda^2 \|\mathbf{j}\|^2 .$$
#
# That is ridge regression, with more unknowns than data.
# Its solution is linear in the data, $\hat{\mathbf{j}} = \mathbf{M}\mathbf{\phi}$, and needs the inverse of a small matrix only:
#
# $$\mathbf{M} = \mathbf{K}^\top \big(\mathbf{K}\mathbf{K}^\top + \lambda^2\mathbf{I}\big)^{-1}.$$
#
# In NumPy these are three lines.


# %%
def minimum_norm(K, lambda2):
    """Return the inverse operator M, (n_regions, n_channels)."""
    gram = K @ K.T
    return np.linalg.solve(gram + lambda2 * np.eye(len(gram)), K).T


# %% [markdown]
# To believe the formula, compare it with a solver that knows nothing of it: least squares on data to which one equation $\lambda j_r = 0$ a region is added.

# %%
M = minimum_norm(K, 1 / 9)
stacked = np.vstack([K, np.sqrt(1 / 9) * np.eye(n_regions)])
target = np.concatenate([phi[:, peak], np.zeros(n_regions)])
by_least_squares = np.linalg.lstsq(stacked, target, rcond=None)[0]
difference = np.abs(M @ phi[:, peak] - by_least_squares).max()
print(f"largest difference from least squares: {difference:.0e}")
assert difference < 1e-8

# %% [markdown]
# There is a second way to read it.
# If activity is Gaussian, independent and equally strong in all regions, and noise is white with a power $\lambda^2$ times as large, then $\hat{\mathbf{j}}$ is the most probable activity given the data.
# **The penalty is an assumption about the brain**: sources everywhere, all small, none related to its neighbor.
# No such brain exists.
#
# ## What lambda does
#
# $\lambda^2$ is the assumed power of noise over that of the signal.
# Small: the image explains the noise too, and is strewn with it.
# Large: the image is smooth, weak, and no longer explains the data.
# MNE-Python's default, 1/9, is a signal three times as large as the noise in amplitude.

# %%
lambdas = (1e-4, 1e-2, 1 / 9, 10)
maps, rows = {}, []
for lambda2 in lambdas:
    image = minimum_norm(K, lambda2) @ phi[:, peak]
    left = np.linalg.norm(phi[:, peak] - K @ image) / np.linalg.norm(phi[:, peak])
    far = 1e3 * cortex.distances[np.abs(image).argmax(), patch].min()
    maps[rf"$\lambda^2$ = {lambda2:.2g}"] = image
    rows.append((f"{lambda2:.2g}", f"{left:.2f}", f"{far:.0f}"))

# %% table={"caption": "What regularization does to the minimum norm: data that are not explained, and distance of the peak from the patch."}
columns = ["λ²", "share of the data left over", "peak to the patch (mm)"]
pd.DataFrame(rows, columns=columns).set_index("λ²")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The minimum norm at the spike's peak for four regularizations, each map divided by its largest magnitude; the true patch is outlined. Too little regularization images the noise, too much blurs the source away.", "name": "fig-lambda"}, "image": {"alt": "Four rows of cortex maps. The first is speckled over the whole brain, the next two show a blurred focus at the outlined patch, the last a broad smear over the left hemisphere."}}
fig, axes = dl.figures.plot_methods(
    {name: np.abs(image) for name, image in maps.items()},
    cortex,
    outlines={"patch": patch},
)
path = dl.results.write_figure("02b_lambda", fig, profile)
plt.show()

# %% [markdown]
# ## The resolution matrix
#
# Put the forward model into the estimate: $\hat{\mathbf{j}} = \mathbf{M}\mathbf{K}\,\mathbf{j} + \mathbf{M}\mathbf{e} = \mathbf{P}\,\mathbf{j} + \mathbf{M}\mathbf{e}$.
# The *resolution matrix* $\mathbf{P}$ would be the identity if each region were recovered alone.
# Column $r$ is the image of a source in region $r$, its point spread.
# Row $r$ says from where the estimate of region $r$ gathers activity, its cross-talk.
# The trace counts how many regions are resolved in all.

# %%
P = M @ K
assert np.allclose(P, resolution_matrix(head, "minimum-norm"))
own = np.diag(P)

# %%
print(f"resolved: {own.sum():.1f} of {n_regions} regions")
outer, deep = head.depth.argmin(), head.depth.argmax()
print(
    f"a source's share in its own estimate: {own[outer]:.3f} nearest to an electrode, "
    f"{own[deep]:.4f} farthest from all"
)

# %% [markdown]
# A deep source is weak on the scalp, so explaining it by a weak source near the electrodes is cheaper: the minimum norm moves it outward.
#
# ## sLORETA: divide by what noise and signal would give
#
# If all that is assumed were true, the estimate of region $r$ would have the variance $P_{rr}$.
# sLORETA divides by its square root:
#
# $$z_r = \hat{j}_r / \sqrt{P_{rr}} .$$
#
# It is a statistic, without a unit of current.
# Its maximum lies in the right region for every single source without noise {cite:p}`pascualmarqui2002`, whatever the depth.

# %%
S = M / np.sqrt(own)[:, None]
error = {"minimum norm": peak_error(P, cortex), "sLORETA": peak_error(S @ K, cortex)}
for name, values in error.items():
    print(f"{name}: peak off by {1e3 * np.median(values):.0f} mm in the median")

# %%
library = sloreta.solve(phi.T, head, depth=None)
ratio = (S @ phi).T / library
print(f"ours over the library's: {ratio.mean():.4g} everywhere, a matter of scale")
assert np.ptp(ratio) < 1e-6 * abs(ratio.mean())

# %% [markdown]
# The maximum is right, but the spread is as wide as before, and two sources at once can have a maximum between them.
#
# ## LCMV: a filter for each region
#
# A beamformer does not explain the data as a whole.
# For each region it looks for weights $\mathbf{w}_r$ that let the region's own scalp map $\mathbf{k}_r$ pass and let as little as possible of all else through {cite:p}`vanveen1997`:
#
# $$
# \begin{gathered}
# \min_{\mathbf{w}} \; \mathbf{w}^\top \mathbf{\Sigma}\, \mathbf{w} \quad\text{with}\quad \mathbf{w}^\top\mathbf{k}_r = 1\\[0.5em]
# \Rightarrow\quad
# \mathbf{w}_r = \frac{\mathbf{\Sigma}^{-1}\mathbf{k}_r}{\mathbf{k}_r^\top\mathbf{\Sigma}^{-1}\mathbf{k}_r},
# \end{gathered}
# $$
#
# with $\mathbf{\Sigma}$ the covariance of the data over electrodes, to which a share of its mean eigenvalue is added before it is inverted.
# The library divides by $\|\mathbf{\Sigma}^{-1}\mathbf{k}_r\|$ instead, so that white noise passes every filter alike; otherwise deep regions would win by their noise.


# %%
def beamformer(phi, K, share=0.05):
    """Return the weights of every region, (n_regions, n_channels)."""
    basis = np.linalg.svd(K, full_matrices=False)[0][:, :rank]  # without the reference
    sigma = np.cov(basis.T @ phi)
    sigma += share * np.trace(sigma) / len(phi) * np.eye(rank)
    weights = np.linalg.solve(sigma, basis.T @ K)
    return (weights / np.linalg.norm(weights, axis=0)).T @ basis.T


# %%
ours, theirs = beamformer(phi, K) @ phi, lcmv.solve(phi.T, head).T
difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
print(f"largest difference from the library: {difference:.0e}")
assert difference < 1e-6

# %% [markdown]
# The assumption sits in $\mathbf{\Sigma}$: that sources vary independently of each other.
# Two sources with one time course are then taken for each other's interference, and each filter uses the one to cancel the other.
# And a patch is many regions with one time course.

# %%
other = int(np.linalg.norm(sides - [0.05, -0.03, 0.04], axis=1).argmin())
later = np.exp(-0.5 * ((times - 0.4) / 0.02) ** 2)
for name, second in (("apart in time", later), ("one time course", spike)):
    data = K[:, [center, other]] @ np.stack([spike, second])
    data = data + 0.3 * data.std() * rng.standard_normal(data.shape)
    data -= data.mean(axis=0)
    strength = np.abs(beamformer(data, K)[center] @ data).max()
    alone = np.abs(beamformer(data, K)[center] @ np.outer(K[:, center], spike)).max()
    print(f"{name}: the filter keeps {strength / alone:.2f} of the first source")

# %% [markdown]
# ## Side by side

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same recording at the spike's peak, imaged by the three methods above and by the network; each map divided by its largest magnitude, the true patch outlined.", "name": "fig-four-methods"}, "image": {"alt": "Five rows of cortex maps. The truth is a compact patch on the left; minimum norm and sLORETA show a wide blur around it, LCMV a scattered image, DeepSIF a patch of nearly the true shape."}}
network = dl.load_model("lite-75")
images = {
    "truth": j[:, peak],
    "minimum norm": M @ phi[:, peak],
    "sloreta": S @ phi[:, peak],
    "lcmv": ours[:, peak],
    "deepsif": network.predict(phi.T)[peak],
}
fig, axes = dl.figures.plot_methods(
    {name: np.abs(image) for name, image in images.items()},
    cortex,
    outlines={"patch": patch},
)
path = dl.results.write_figure("02b_methods", fig, profile)
plt.show()

# %% table={"caption": "The regions above half the maximum, by method: how many, how many of them are true, and how much of the patch they hold."}
rows = []
for name, image in images.items():
    strong = np.flatnonzero(np.abs(image) > 0.5 * np.abs(image).max())
    near = np.isin(strong, patch)
    recall = f"{near.sum() / len(patch):.2f}"
    name = dl.figures.method_name(name)
    rows.append((name, len(strong), f"{near.mean():.2f}", recall))
columns = [
    "method",
    "regions above half the maximum",
    "of these true",
    "of the patch found",
]
pd.DataFrame(rows, columns=columns).set_index("method")

# %% [markdown]
# The minimum norm and sLORETA have their strongest regions in and around the patch, and many more beside it.
# LCMV cancels the patch, whose regions share one time course, and what is left lies elsewhere.
# The network's image is about as large as the patch and covers most of it.
#
# ## Why a learned prior
#
# All three know the leadfield and one sentence about the brain: small and everywhere (minimum norm, sLORETA), or unrelated to each other (LCMV).
# What is known besides, they cannot use: activity comes in connected patches, neighbors share a time course, sources are few, and time courses look like those of neural populations.
# One can write such knowledge as a penalty and minimize it for each recording, which is what sparse and patch-based methods do.
# DeepSIF goes another way: it draws activity from a simulation that has these properties, computes its EEG by Eq. 1, and trains a network to go back.
# The simulation is the prior; the network is the solver.
# Where the simulation is wrong about a brain, so is the prior: that is what chapters [4](04_evaluation.ipynb) to [6](06_evoked.ipynb) test.
#
# ## Summary
#
# - Eq. 1 has a dozen times more unknowns than equations; assumptions decide.
# - The minimum norm is ridge regression: $\mathbf{K}^\top(\mathbf{K}\mathbf{K}^\top + \lambda^2\mathbf{I})^{-1}$.
# - sLORETA divides it by $\sqrt{P_{rr}}$: the maximum comes right, the width stays.
# - LCMV filters each region, and cancels sources that vary together.
# - A network trained on simulated activity learns a prior that no single penalty holds.
#
# ## Limits
#
# - White noise throughout; real noise is whitened first (`noise_cov` of the solvers).
# - No depth weighting here; the library's sLORETA has MNE's by default.
# - One fixed orientation a region.
#
# ## Exercises
#
# :::{exercise}
# :label: ex-inverse-1
#
# Show that
#
# $$
# \begin{aligned}
# &\mathbf{K}^\top(\mathbf{K}\mathbf{K}^\top + \lambda^2\mathbf{I})^{-1}\\
# &\quad = (\mathbf{K}^\top\mathbf{K} + \lambda^2\mathbf{I})^{-1}\mathbf{K}^\top .
# \end{aligned}
# $$
#
# Which of the two inverts the smaller matrix?
# :::
#
# :::{solution} ex-inverse-1
# :class: dropdown
#
# Multiply from the left by $\mathbf{K}^\top\mathbf{K} + \lambda^2\mathbf{I}$ and from the right by $\mathbf{K}\mathbf{K}^\top + \lambda^2\mathbf{I}$: both sides become $\mathbf{K}^\top\mathbf{K}\mathbf{K}^\top + \lambda^2\mathbf{K}^\top$.
# The first inverts a matrix of the size of the electrodes, 75 instead of 994.
# :::
#
# :::{exercise}
# :label: ex-inverse-2
#
# What does $\mathbf{M}$ become for $\lambda^2 \to 0$, and for $\lambda^2 \to \infty$?
# :::
#
# :::{solution} ex-inverse-2
# :class: dropdown
#
# The pseudoinverse $\mathbf{K}^{+}$, which explains the data and their noise exactly; and $\mathbf{K}^\top / \lambda^2$, which only compares the data with each scalp map (no inverse at all):
#
# ```python
# print(np.allclose(minimum_norm(K, 1e9) * 1e9, K.T, atol=1e-4))
# ```
# :::
#
# :::{exercise}
# :label: ex-inverse-3
#
# Draw an activity from the minimum norm's own prior, `rng.standard_normal(n_regions)`, image `K @ draw`, and correlate the image with the draw. Why is the correlation low although the assumption is true?
# :::
#
# :::{solution} ex-inverse-3
# :class: dropdown
#
# ```python
# draws = rng.standard_normal((n_regions, 100))
# measured = [np.corrcoef(draw, P @ draw)[0, 1] for draw in draws.T]
# expected = np.trace(P) / np.sqrt(n_regions * (P**2).sum())
# print(f"correlation {np.mean(measured):.2f}, expected {expected:.2f}")
# ```
#
# Were $\mathbf{P}$ a projection onto $n$ patterns, the correlation would be $\sqrt{n / R}$: of $R$ independent numbers only $n$ can be known from the data, and regularization leaves even less. A right assumption does not replace missing data; a *narrow* one (few patches) does.
# :::
#
# :::{exercise}
# :label: ex-inverse-4
#
# Add the columns of `S @ K` of two regions 2 cm apart. How often does sLORETA have its maximum in neither?
# :::
#
# :::{solution} ex-inverse-4
# :class: dropdown
#
# Add the two columns and see where the maximum is:
#
# ```python
# spreads = S @ K
# right = np.zeros(n_regions, bool)
# for a in range(n_regions):
#     b = int(np.abs(cortex.distances[a] - 0.02).argmin())
#     right[a] = np.abs(spreads[:, [a, b]].sum(axis=1)).argmax() in (a, b)
# for name, part in zip(
#     ("shallow", "middle", "deep"), np.array_split(head.depth.argsort(), 3), strict=True
# ):
#     print(f"{name}: the maximum is in one of the two in {right[part].mean():.0%}")
# ```
#
# Where the two point spreads are wider than the distance, the sum has its maximum in neither: in most pairs 2 cm apart, and in more of the deep ones. Zero localization error holds for one source at a time.
# :::
#
# ## Next
#
# [Chapter 3](03_training.ipynb) makes the prior: simulated patches, their EEG, and a network that learns the way back.
