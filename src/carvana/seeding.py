"""Random generators seeded by their purpose alone, not by workers, order or earlier draws."""

from __future__ import annotations

import hashlib

import numpy as np


def _entropy(key: tuple[int | str | None, ...]) -> int:
    return int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:16], "big")


def generator(*key: int | str | None) -> np.random.Generator:
    """A NumPy generator for `key`, for example (seed, recipe_seed, model, fold, "sample", epoch, index)."""
    return np.random.Generator(np.random.PCG64(_entropy(key)))


def torch_seed(*key: int | str | None) -> int:
    """A seed for `torch.Generator.manual_seed`, in [0, 2**63)."""
    return _entropy(key) >> 65
