"""Exponential and normal deviates in SIMD lanes.

Branch-free: range reduction by a magic constant, a polynomial, and the exponent put
together from bits (Muller 2016, "Elementary Functions", 3rd ed., chapter 11).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, types
from numba.extending import overload

from .lanes import bits_of, clip, float_of, load, sqrt, store, to_real, where_bit

# The first omitted term of exp on |f| <= ln(2)/2 is below half a unit in the last
# place.
_TERMS_32 = tuple(np.float32(1 / math.factorial(k)) for k in range(8))
_TERMS_64 = tuple(1 / math.factorial(k) for k in range(14))
# ln 2 in two parts; the high one has enough trailing zeros for n * high to be exact.
_LN2_32 = (np.float32(0.693359375), np.float32(math.log(2) - 0.693359375))
_LN2_64 = (0.693147180369123816490, 1.90821492927058770002e-10)


def exp(x):
    """Exponential of lanes, saturating where the float type ends (numba only)."""
    raise NotImplementedError


@overload(exp)
def _overload_exp(x):
    if x.dtype is types.float32:
        log2e, limit = np.float32(1 / math.log(2)), np.float32(87)
        # Adding 1.5 * 2**23 leaves the rounded value in the low bits.
        magic = np.float32(1.5 * 2**23)

        def exp32(x):
            x = clip(x, limit)
            t = x * log2e + magic
            n = t - magic
            f = x - n * _LN2_32[0]
            f = f - n * _LN2_32[1]
            p = f * _TERMS_32[7] + _TERMS_32[6]
            p = p * f + _TERMS_32[5]
            p = p * f + _TERMS_32[4]
            p = p * f + _TERMS_32[3]
            p = p * f + _TERMS_32[2]
            p = p * f + _TERMS_32[1]
            p = p * f + _TERMS_32[0]
            # Adding n to the exponent bits multiplies by 2**n.
            return float_of(bits_of(p) + (bits_of(t) << 23))

        return exp32
    log2e, limit, magic = 1 / math.log(2), 700.0, 1.5 * 2.0**52

    def exp64(x):
        x = clip(x, limit)
        t = x * log2e + magic
        n = t - magic
        f = x - n * _LN2_64[0]
        f = f - n * _LN2_64[1]
        p = f * _TERMS_64[13] + _TERMS_64[12]
        p = p * f + _TERMS_64[11]
        p = p * f + _TERMS_64[10]
        p = p * f + _TERMS_64[9]
        p = p * f + _TERMS_64[8]
        p = p * f + _TERMS_64[7]
        p = p * f + _TERMS_64[6]
        p = p * f + _TERMS_64[5]
        p = p * f + _TERMS_64[4]
        p = p * f + _TERMS_64[3]
        p = p * f + _TERMS_64[2]
        p = p * f + _TERMS_64[1]
        p = p * f + _TERMS_64[0]
        return float_of(bits_of(p) + (bits_of(t) << 52))

    return exp64


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
    p = z * _LOG_TERMS[4] + _LOG_TERMS[3]
    p = p * z + _LOG_TERMS[2]
    p = p * z + _LOG_TERMS[1]
    p = p * z + _LOG_TERMS[0]
    return s * p + n * _LN2


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
    sine = z * _SIN[4] + _SIN[3]
    sine = sine * z + _SIN[2]
    sine = sine * z + _SIN[1]
    sine = (sine * z + _SIN[0]) * angle
    cosine = z * _COS[5] + _COS[4]
    cosine = cosine * z + _COS[3]
    cosine = cosine * z + _COS[2]
    cosine = cosine * z + _COS[1]
    cosine = cosine * z + _COS[0]
    # Four quadrants: swap the two, and turn the sign of the pair.
    one = where_bit(second, 1 << 30, sine, cosine)
    other = where_bit(second, 1 << 30, np.float32(0) - cosine, sine)
    radius = where_bit(second, 1 << 31, np.float32(0) - radius, radius)
    return radius * one, radius * other


@njit
def _rotate(x, left):
    return (x << left) | (x >> (32 - left))


@njit
def draw_normals(random, normals):
    """Fill (n, LANES) float32, n even, from one generator in each lane.

    ``random`` (4, LANES) int32 is the state of xoshiro128++ (Blackman and Vigna
    2021, doi 10.1145/3460772) and moves on by n words.
    """
    s0, s1 = load(random, (0,)), load(random, (1,))
    s2, s3 = load(random, (2,)), load(random, (3,))
    for pair in range(normals.shape[0] // 2):
        first = _rotate(s0 + s3, 7) + s0
        t = s1 << 9
        s2 = s2 ^ s0
        s3 = s3 ^ s1
        s1 = s1 ^ s2
        s0 = s0 ^ s3
        s2 = s2 ^ t
        s3 = _rotate(s3, 11)
        second = _rotate(s0 + s3, 7) + s0
        t = s1 << 9
        s2 = s2 ^ s0
        s3 = s3 ^ s1
        s1 = s1 ^ s2
        s0 = s0 ^ s3
        s2 = s2 ^ t
        s3 = _rotate(s3, 11)
        one, other = normal_pair(first, second)
        store(normals, (2 * pair,), one)
        store(normals, (2 * pair + 1,), other)
    store(random, (0,), s0)
    store(random, (1,), s1)
    store(random, (2,), s2)
    store(random, (3,), s3)
