from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter


class Operations(TorchDispatchMode):
    """What is computed.

    Attributes:
        names: of the operations.
        activations: types of those results that are (N, C, H, W).
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.activations: list[torch.dtype] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(str(function))
        result = function(*args, **(kwargs or {}))
        self.activations += [one.dtype for one in tree_iter(result) if isinstance(one, torch.Tensor) and one.ndim == 4]
        return result
