"""The precisions that a configuration can name; apart from PyTorch, so that arguments are checked before it loads."""

from __future__ import annotations

from typing import Final

# exact: float32 throughout. tf32: a GPU's matrix units round their inputs to 10 bits. bf16: convolutions compute in
# bfloat16 (8 bits), weights, losses and optimizers stay in float32.
PRECISIONS: Final = ("exact", "tf32", "bf16")
