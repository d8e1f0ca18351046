"""Files as PyTorch 0.2 wrote them, which nobody can install any more: its layout, and how it pickled layers.

A layer's class went beside its source into a persistent id, a parameter was called with its data and told whether it
needs a gradient, and every layer carried the functions of its backend.
"""

import io
import pickle
import struct
import sys
from collections import OrderedDict
from types import ModuleType
from typing import Any, cast

import torch
from torch import nn

BACKEND = "torch.nn.backends.thnn"
HOMES = ("torchvision", "torchvision.models", "torchvision.models.resnet", "pytorch_zoo", "pytorch_zoo.linknet")
KINDS = {torch.float32: "FloatStorage", torch.int64: "LongStorage"}


class Backend:
    def __reduce__(self):
        return sys.modules[BACKEND]._get_thnn_function_backend, ()


class Kind:
    """Stands for a storage's type, and is pickled as a name of torch's."""

    def __init__(self, name):
        self.name = name


# The one that is written in Python, whose parts can be replaced.
_Pickler: Any = vars(pickle)["_Pickler"]


class Pickler(_Pickler):  # type: ignore[misc]
    def __init__(self, stream, storages):
        super().__init__(stream, protocol=2)
        self.storages = storages

    def persistent_id(self, value):
        if isinstance(value, type) and issubclass(value, nn.Module):
            return "module", _Named(value), f"/home/author/{value.__name__}.py", f"class {value.__name__}: pass"
        if isinstance(value, torch.UntypedStorage):
            key = str(value.data_ptr())
            dtype = self.storages[key].dtype
            return "storage", Kind(KINDS[dtype]), key, "cuda:0", value.nbytes() // dtype.itemsize, None
        return None

    def save(self, value, save_persistent_id=True):
        if isinstance(value, _Named):
            known = self.memo.get(id(value.kind))
            return self.write(self.get(known[0])) if known else self.save_global(value.kind)
        if isinstance(value, Kind):
            return self.write(f"ctorch\n{value.name}\n".encode())
        if isinstance(value, nn.Parameter):
            hooks: OrderedDict[str, Any] = OrderedDict()
            state = (value.requires_grad, False, hooks)
            return self.save_reduce(nn.Parameter, (value.data,), state, obj=value)
        if isinstance(value, torch.Tensor):
            storage = value.untyped_storage()
            self.storages[str(storage.data_ptr())] = cast(Any, value.new_empty(0)).set_(
                storage, 0, (storage.nbytes() // value.dtype.itemsize,)
            )
            arguments = (storage, value.storage_offset(), tuple(value.size()), value.stride())
            return self.save_reduce(torch._utils._rebuild_tensor, arguments, obj=value)
        return super().save(value, save_persistent_id)


class _Named:
    def __init__(self, kind):
        self.kind = kind


def save(value, path):
    """Write the value as PyTorch 0.2's torch.save did."""
    storages: dict[str, torch.Tensor] = {}
    document = io.BytesIO()
    Pickler(document, storages).dump(value)
    with path.open("wb") as stream:
        for head in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}):
            pickle.dump(head, stream, protocol=2)
        stream.write(document.getvalue())
        pickle.dump(sorted(storages), stream, protocol=2)
        for key in sorted(storages):
            stream.write(struct.pack("<q", storages[key].numel()) + storages[key].numpy().tobytes())


def dressed(network, monkeypatch):
    """The network with the attributes of its time, its class under the author's name, and in DataParallel."""
    backend = ModuleType(BACKEND)

    def _get_thnn_function_backend():
        raise AssertionError("it was called")

    _get_thnn_function_backend.__module__ = BACKEND
    _get_thnn_function_backend.__qualname__ = "_get_thnn_function_backend"
    backend._get_thnn_function_backend = _get_thnn_function_backend  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, BACKEND, backend)
    for home in HOMES:
        monkeypatch.setitem(sys.modules, home, ModuleType(home))
    for kind in {type(module) for module in network.modules() if type(module).__module__.startswith("carvana")}:
        home = "torchvision.models.resnet" if kind.__name__ == "BasicBlock" else "pytorch_zoo.linknet"
        own = type(kind.__name__, (kind,), {"__module__": home, "__qualname__": kind.__name__})
        setattr(sys.modules[home], kind.__name__, own)
        for module in network.modules():
            if type(module) is kind:
                module.__class__ = own
    parallel = nn.DataParallel(network)
    for module in parallel.modules():
        module._backend = Backend()  # type: ignore[assignment]
        # It had no counters of batches, and no hooks of today.
        for attribute in [name for name in vars(module) if name.startswith("_") and "hook" in name]:
            delattr(module, attribute)
        module._backward_hooks = OrderedDict()
        module._buffers.pop("num_batches_tracked", None)
    return parallel
