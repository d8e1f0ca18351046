"""The weights of layers that were pickled whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from torch import Tensor

from carvana.released.pickled import ModuleRecord
from carvana.released.refusal import RefusedError

# PyTorch nests a few layers deep, and a file can nest them in one another without end, or make a few layers many.
_LONGEST_NAME: Final = 1000
_MOST_NAMES: Final = 100_000


def module_state(module: ModuleRecord) -> Mapping[str, Tensor]:
    """The state dict of layers that were pickled whole, by the names that PyTorch gives.

    Raises:
        RefusedError: they are not built as PyTorch's layers are.
    """
    state: dict[str, Tensor] = {}
    layers = [("", module)]
    for prefix, layer in layers:
        for kind in ("_parameters", "_buffers"):
            state.update(_named(layer, kind, Tensor, prefix))
        layers += [(f"{name}.", child) for name, child in _named(layer, "_modules", ModuleRecord, prefix)]
        if len(layers) + len(state) > _MOST_NAMES:
            raise RefusedError("its layers lie in one another without end")
    return state


def _named(layer: ModuleRecord, kind: str, expected: type[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    found = layer.attributes.get(kind, {})
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise RefusedError(f"its {kind} are no dict")
    for name, value in found.items():
        if len(prefix) + len(name) > _LONGEST_NAME:
            raise RefusedError("its layers lie in one another without end")
        if value is not None:
            if not isinstance(value, expected):
                raise RefusedError(f"{prefix}{name} is no {'tensor' if expected is Tensor else 'layer'}")
            yield prefix + name, value
