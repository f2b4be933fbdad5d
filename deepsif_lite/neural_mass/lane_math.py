"""Exponential and normal deviates in SIMD lanes.

Branch-free: range reduction by a magic constant, a polynomial, and the exponent put
together from bits (Muller 2016, "Elementary Functions", 3rd ed., chapter 11).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import overload

from .lanes import (
    bits_of,
    clip,
    float_of,
    load,
    polynomial,
    sqrt,
    store,
    to_real,
    where_bit,
)


class _ExpTable(NamedTuple):
    """What the exponential needs to know of a float type."""

    terms: tuple  # the first omitted one is below half a unit in the last place
    ln2: tuple  # in two parts; n * high is exact, for high ends in zeros
    limit: float | np.floating  # beyond it the result would not be a normal number
    round_off: float | np.floating  # adding it leaves the rounded value in the low bits
    mantissa_bits: int


_EXP = {
    types.float32: _ExpTable(
        terms=tuple(np.float32(1 / math.factorial(k)) for k in range(8)),
        ln2=(np.float32(0.693359375), np.float32(math.log(2) - 0.693359375)),
        limit=np.float32(87),
        round_off=np.float32(1.5 * 2**23),
        mantissa_bits=23,
    ),
    types.float64: _ExpTable(
        terms=tuple(1 / math.factorial(k) for k in range(14)),
        ln2=(0.693147180369123816490, 1.90821492927058770002e-10),
        limit=700.0,
        round_off=1.5 * 2.0**52,
        mantissa_bits=52,
    ),
}


def exp(x):
    """Exponential of lanes to a unit in the last place (numba only).

    It saturates where the float type ends.
    """
    raise NotImplementedError


@overload(exp)
def _overload_exp(x):
    terms, (ln2_high, ln2_low), limit, round_off, mantissa_bits = _EXP[x.dtype]
    log2e = type(limit)(1 / math.log(2))

    def of_lanes(x):
        x = clip(x, limit)
        t = x * log2e + round_off
        n = t - round_off
        f = x - n * ln2_high
        f = f - n * ln2_low
        # Adding n to the exponent bits multiplies by 2**n.
        return float_of(bits_of(polynomial(f, terms)) + (bits_of(t) << mantissa_bits))

    return of_lanes


_LN2 = np.float32(math.log(2))
_LOG_TERMS = tuple(np.float32(2 / k) for k in (1, 3, 5, 7, 9))
_ROOT_HALF = 0x3F3504F3  # bits of sqrt(1/2)


@njit
def log32(x):
    """Natural logarithm of lanes of positive, normal float32."""
    # x = 2**n * m with sqrt(1/2) <= m < sqrt(2); log m = 2 atanh((m - 1)/(m + 1)).
    # Shifted up by 128 powers of two, the exponent is positive.
    bits = bits_of(x) - _ROOT_HALF + (128 << 23)
    n = to_real(bits >> 23) - np.float32(128)
    m = float_of((bits & 0x007FFFFF) + _ROOT_HALF)
    s = (m - np.float32(1)) / (m + np.float32(1))
    z = s * s
    return s * polynomial(z, _LOG_TERMS) + n * _LN2


_WITHIN_QUARTER = np.float32(math.pi / 2 * 2.0**-22)
_SIN = tuple(np.float32((-1) ** k / math.factorial(2 * k + 1)) for k in range(5))
_COS = tuple(np.float32((-1) ** k / math.factorial(2 * k)) for k in range(6))


@njit
def normal_pair(first, second):
    """Two independent standard normal deviates from two 32-bit words (Box-Muller).

    The first word gives the radius (24 bits, so that no deviate exceeds 5.9), the
    second the angle: two bits for the quadrant, 22 for the place within it.
    """
    uniform = (to_real(first >> 8) + np.float32(0.5)) * np.float32(2.0**-24)
    radius = sqrt(log32(uniform) * np.float32(-2))
    angle = to_real(((second >> 8) & 0x3FFFFF) - 0x200000) + np.float32(0.5)
    angle = angle * _WITHIN_QUARTER
    z = angle * angle
    sine = polynomial(z, _SIN) * angle
    cosine = polynomial(z, _COS)
    # Four quadrants: swap the two, and turn the sign of the pair.
    one = where_bit(second, 1 << 30, sine, cosine)
    other = where_bit(second, 1 << 30, np.float32(0) - cosine, sine)
    radius = where_bit(second, 1 << 31, np.float32(0) - radius, radius)
    return radius * one, radius * other


@njit
def _rotate(x, left):
    return (x << left) | (x >> (32 - left))


@njit
def _next_word(s0, s1, s2, s3):
    """One word of xoshiro128++ and the state after it."""
    word = _rotate(s0 + s3, 7) + s0
    t = s1 << 9
    s2 = s2 ^ s0
    s3 = s3 ^ s1
    s1 = s1 ^ s2
    s0 = s0 ^ s3
    return word, (s0, s1, s2 ^ t, _rotate(s3, 11))


@njit
def draw_normals(random, normals):
    """Fill (n, LANES) float32, n even, from one generator in each lane.

    ``random`` (4, LANES) int32 is the state of xoshiro128++ (Blackman and Vigna
    2021, doi 10.1145/3460772) and moves on by n words.
    """
    state = (
        load(random, (0,)),
        load(random, (1,)),
        load(random, (2,)),
        load(random, (3,)),
    )
    for pair in range(normals.shape[0] // 2):
        first, state = _next_word(*state)
        second, state = _next_word(*state)
        one, other = normal_pair(first, second)
        store(normals, (2 * pair,), one)
        store(normals, (2 * pair + 1,), other)
    for word in range(4):
        store(random, (word,), state[word])
