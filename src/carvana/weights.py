"""A network's weights as a .safetensors file, which holds tensors and text and can execute nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from carvana.errors import UserError
from carvana.files import whole_file

# What the released programs' DataParallel put before every name.
PARALLEL_PREFIX: Final = "module."
# What to do about a damaged file that a training of the run made.
TRAIN_AGAIN: Final = "delete it, and its training runs again"


def distinct_tensors(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state without second names of one tensor (the VGG encoders'), of which the first is kept; on the CPU."""
    seen: set[int] = set()
    distinct: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if tensor.numel() and tensor.data_ptr() in seen:
            continue
        seen.add(tensor.data_ptr())
        distinct[name] = tensor.detach().cpu().contiguous()
    return distinct


def save_weights(path: Path, state: Mapping[str, Tensor], facts: Mapping[str, object]) -> None:
    """Write the state dict, whole or not at all; equal states and facts give equal bytes.

    Args:
        path: the .safetensors file.
        state: a network's state dict.
        facts: what the file says of itself, JSON values by name.
    """
    # One metadata entry: the format keeps several in no particular order.
    metadata = {"facts": json.dumps(facts, sort_keys=True)}
    with whole_file(path) as partial:
        write_tensors(partial, distinct_tensors(state), metadata)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write a .safetensors file that others may read as they may any new file; safetensors' own only its owner may."""
    path.unlink(missing_ok=True)
    path.touch()
    mode = path.stat().st_mode
    save_file(dict(tensors), path, dict(metadata) if metadata else None)
    path.chmod(mode)


def read_facts(path: Path, remedy: str = TRAIN_AGAIN) -> dict[str, object]:
    """What the file says of itself.

    Args:
        path: the .safetensors file.
        remedy: for the error: what to do about a damaged file.

    Raises:
        UserError: it is not a whole .safetensors file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return dict(json.loads((file.metadata() or {}).get("facts", "{}")))
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} cannot be read as weights ({error}); {remedy}") from None


def load_weights(network: nn.Module, path: Path, remedy: str = TRAIN_AGAIN) -> None:
    """Fill the network from a file that `save_weights` wrote; names and shapes must agree strictly.

    Args:
        network: as built.
        path: the .safetensors file.
        remedy: for the error: what to do about a damaged file.

    Raises:
        UserError: the file cannot be read, or holds another network's weights.
    """
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} cannot be read as weights ({error}); {remedy}") from None
    fill(network, state, str(path))


def fill(network: nn.Module, state: Mapping[str, Tensor], origin: str) -> None:
    """Fill the network from a state dict, strictly; names may carry the prefix `module.` of the released checkpoints.

    A tensor that the network names twice may be given under either name, or under both. Batch norm's counter may be
    absent: PyTorch 0.2 had none, and nothing depends on it.

    Args:
        network: as built.
        state: tensors by name.
        origin: where they come from, for the error.

    Raises:
        UserError: a name is missing or unknown, or a shape differs.
    """
    given = {name.removeprefix(PARALLEL_PREFIX): tensor for name, tensor in state.items()}
    own = network.state_dict(keep_vars=True)
    given_storages = {own[name].data_ptr() for name in given if name in own and own[name].numel()}
    missing = [
        name
        for name, tensor in own.items()
        if name not in given and tensor.data_ptr() not in given_storages and not name.endswith("num_batches_tracked")
    ]
    unknown = [name for name in given if name not in own]
    shapes = [name for name in given if name in own and own[name].shape != given[name].shape]
    if missing or unknown or shapes:
        kinds = (("missing", missing), ("unknown", unknown), ("of another shape", shapes))
        told = "; ".join(f"{len(names)} {kind} ({', '.join(names[:3])})" for kind, names in kinds if names)
        raise UserError(f"{origin} holds no weights of {type(network).__name__}: {told}")
    network.load_state_dict(given, strict=False)
