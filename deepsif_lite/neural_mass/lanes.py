"""A SIMD vector for numba: the same number of several simulations, side by side.

Whether LLVM turns a loop into SIMD code hangs on what it can prove about the arrays
in it. Here the vector is a type, so that there is nothing to prove: ``load`` and
``store`` move it between arrays and registers, operators work lane by lane, and the
compiler splits it into whatever registers the machine has.

The price is numba's internals, so its version is bounded. The gain: the same simulator
in plain loops under ``njit(fastmath=True)`` takes 8 times as long (measured on one busy
core with AVX-512; numba without Intel's SVML, which pip does not bring, leaves loops
with an exponential in them scalar). ``make bench`` measures it again.
"""

from __future__ import annotations

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import register_default
from numba.core.datamodel.models import PrimitiveModel
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin

#: Simulations in one vector: one AVX-512 or two AVX2 registers of float32.
LANES = 16

# Multiply and add may be fused; nothing else may be reordered.
_FLAGS = ("contract",)


class Lanes(types.Type):
    """``LANES`` values of one scalar type."""

    def __init__(self, dtype: types.Type):
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


_ELEMENT = {
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
    types.int32: ir.IntType(32),
    types.int64: ir.IntType(64),
}
_BITS = {types.float32: types.int32, types.float64: types.int64}
_REAL = {whole: real for real, whole in _BITS.items()}


@register_default(Lanes)
class _LanesModel(PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _vector(fe_type.dtype))


def _vector(dtype):
    return ir.VectorType(_ELEMENT[dtype], LANES)


def _spread(context, builder, value, source, target):
    """Repeat a scalar in all lanes; leave a vector as it is."""
    if isinstance(source, Lanes):
        return value
    scalar = context.cast(builder, value, source, target.dtype)
    kind = _vector(target.dtype)
    one = builder.insert_element(
        ir.Constant(kind, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0)
    )
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), mask)


def _binary(op, on_reals, on_integers):
    """Teach numba an operator between vectors, or a vector and a scalar."""

    @infer_global(op)
    class _Template(AbstractTemplate):
        def generic(self, args, kws):
            kinds = {arg for arg in args if isinstance(arg, Lanes)}
            if len(args) == 2 and len(kinds) == 1:
                return signature(kinds.pop(), *args)
            return None

    def lower(context, builder, sig, args):
        target = sig.return_type
        a, b = (
            _spread(context, builder, arg, kind, target)
            for arg, kind in zip(args, sig.args, strict=True)
        )
        if isinstance(target.dtype, types.Float):
            return getattr(builder, on_reals)(a, b, flags=_FLAGS)
        return getattr(builder, on_integers)(a, b)

    for pair in (
        (Lanes, Lanes),
        (Lanes, types.Number),
        (types.Number, Lanes),
    ):
        lower_builtin(op, *pair)(lower)


_binary(operator.add, "fadd", "add")
_binary(operator.sub, "fsub", "sub")
_binary(operator.mul, "fmul", "mul")
_binary(operator.truediv, "fdiv", None)
_binary(operator.and_, None, "and_")
_binary(operator.or_, None, "or_")
_binary(operator.xor, None, "xor")
_binary(operator.lshift, None, "shl")
_binary(operator.rshift, None, "lshr")  # zeros move in, also for negative numbers


def _pointer(context, builder, array_type, array, index_type, index):
    """Address of the first lane at ``array[index]``, as a pointer to a vector."""
    view = context.make_array(array_type)(context, builder, array)
    places = cgutils.unpack_tuple(builder, index, len(index_type))
    zero = context.get_constant(types.intp, 0)
    places = [
        context.cast(builder, place, kind, types.intp)
        for place, kind in zip(places, index_type, strict=True)
    ]
    address = cgutils.get_item_pointer(
        context, builder, array_type, view, [*places, zero], wraparound=False
    )
    return builder.bitcast(address, _vector(array_type.dtype).as_pointer())


@intrinsic
def load(typingctx, array, index):
    """Read ``array[index]``, whose last axis holds the lanes."""

    def codegen(context, builder, sig, args):
        address = _pointer(context, builder, array, args[0], index, args[1])
        loaded = builder.load(address)
        loaded.align = array.dtype.bitwidth // 8
        return loaded

    return Lanes(array.dtype)(array, index), codegen


@intrinsic
def store(typingctx, array, index, value):
    """Write a vector to ``array[index]``, whose last axis holds the lanes."""

    def codegen(context, builder, sig, args):
        address = _pointer(context, builder, array, args[0], index, args[1])
        stored = builder.store(args[2], address)
        stored.align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, index, value), codegen


@intrinsic
def bits_of(typingctx, value):
    """Reinterpret floats as integers of the same width."""
    result = Lanes(_BITS[value.dtype])

    def codegen(context, builder, sig, args):
        return builder.bitcast(args[0], _vector(result.dtype))

    return result(value), codegen


@intrinsic
def float_of(typingctx, bits):
    """Reinterpret integers as floats of the same width."""
    result = Lanes(_REAL[bits.dtype])

    def codegen(context, builder, sig, args):
        return builder.bitcast(args[0], _vector(result.dtype))

    return result(bits), codegen


@intrinsic
def to_real(typingctx, whole):
    """Convert signed integers to floats of the same width."""
    result = Lanes(_REAL[whole.dtype])

    def codegen(context, builder, sig, args):
        return builder.sitofp(args[0], _vector(result.dtype))

    return result(whole), codegen


@intrinsic
def convert(typingctx, value, like):
    """Convert floats to the width of ``like``."""

    def codegen(context, builder, sig, args):
        target = _vector(like.dtype)
        if value.dtype == like.dtype:
            return args[0]
        if value.dtype.bitwidth < like.dtype.bitwidth:
            return builder.fpext(args[0], target)
        return builder.fptrunc(args[0], target)

    return like(value, like), codegen


@intrinsic
def sqrt(typingctx, value):
    """Square root."""

    def codegen(context, builder, sig, args):
        kind = _vector(value.dtype)
        name = f"llvm.sqrt.v{LANES}f{value.dtype.bitwidth}"
        root = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind, [kind]), name
        )
        return builder.call(root, args)

    return value(value), codegen


@intrinsic
def clip(typingctx, value, limit):
    """Bring values into -limit .. limit; NaN stays NaN."""

    def codegen(context, builder, sig, args):
        value_, limit_ = args
        high = _spread(context, builder, limit_, limit, value)
        low = builder.fsub(ir.Constant(_vector(value.dtype), [0.0] * LANES), high)
        value_ = builder.select(builder.fcmp_ordered(">", value_, high), high, value_)
        return builder.select(builder.fcmp_ordered("<", value_, low), low, value_)

    return value(value, limit), codegen


@intrinsic
def where_bit(typingctx, word, mask, if_set, otherwise):
    """Choose lane by lane by whether ``word & mask`` is not zero."""

    def codegen(context, builder, sig, args):
        mask_ = _spread(context, builder, args[1], mask, word)
        zero = ir.Constant(_vector(word.dtype), [0] * LANES)
        is_set = builder.icmp_signed("!=", builder.and_(args[0], mask_), zero)
        return builder.select(is_set, args[2], args[3])

    return if_set(word, mask, if_set, otherwise), codegen


@intrinsic
def polynomial(typingctx, value, terms):
    """Evaluate terms[0] + terms[1] value + terms[2] value**2 + ... (Horner)."""

    def codegen(context, builder, sig, args):
        *lower, total = (
            _spread(context, builder, term, terms.dtype, value)
            for term in cgutils.unpack_tuple(builder, args[1])
        )
        for term in reversed(lower):
            product = builder.fmul(total, args[0], flags=_FLAGS)
            total = builder.fadd(product, term, flags=_FLAGS)
        return total

    return value(value, terms), codegen
