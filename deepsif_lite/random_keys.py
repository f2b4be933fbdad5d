"""Keys of the random streams, side by side so that no two of them share numbers.

Everything drawn at random has a generator of its own, ``default_rng([seed, key])`` or
``default_rng([seed, purpose, key])``: what is drawn then depends on the seed and on
what it is drawn for, and not on what was drawn before it.

- Sample ``i`` of a stream: ``[seed, i]``. Training counts from 0, its validation from
  :data:`VALIDATION_OFFSET`, which no training reaches.
- Candidate patches of a parcel in a stream: ``[seed, STREAM_PATCHES, parcel]``.
- Patches of the dictionary around a parcel: ``[seed, DICTIONARY_PATCHES, parcel]``.
"""

from __future__ import annotations

VALIDATION_OFFSET = 1 << 40
STREAM_PATCHES = 1 << 31
DICTIONARY_PATCHES = 1 << 33
