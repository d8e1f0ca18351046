"""Reads a pickle without running it: containers, numbers, text, tensors and inert records; all else is refused.

Python's reader calls whatever a pickle names, so a file can run any program. It asks two methods what a name and what a
reference stand for, and here they know a few by heart and refuse the rest: nothing is looked up or imported. The pickle
can then call what they give, append to it, set its items and change its state. So they give plain values, or objects of
this module's classes that do not let themselves be changed.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable
from typing import IO, Any, Final

import torch
from torch import Tensor

from carvana.released.pickle_bytes import next_pickle
from carvana.released.refusal import RefusedError


class Storages(dict[str, Tensor]):
    """The numbers that tensors are views of, flat, by the key under which the file has them.

    A pickle names them before the file says where they lie, so they begin as zeros, to be filled after it.
    """

    def __init__(self, room: int) -> None:
        """For so many bytes: a pickle may claim no more numbers than its file can have."""
        super().__init__()
        self._room = room

    def flat(self, key: str, dtype: torch.dtype, numbers: int) -> Tensor:
        """The storage of that key.

        Raises:
            RefusedError: there is no room for it, or it was named with another type or length.
        """
        if key not in self:
            self._room -= numbers * dtype.itemsize
            if self._room < 0:
                raise RefusedError(f"storage {key} is not the one that its tensors name: theirs exceeds the file")
            self[key] = torch.zeros(numbers, dtype=dtype)
        if (self[key].dtype, self[key].numel()) != (dtype, numbers):
            raise RefusedError(f"its tensors do not agree on what storage {key} is")
        return self[key]


class ModuleRecord:
    """A layer or network that was pickled whole: its attributes, and nothing that computes."""

    __slots__ = ("attributes",)
    attributes: dict[str, Any]

    def __new__(cls) -> ModuleRecord:
        """Without arguments: a layer is pickled as its state, and none is ever called."""
        record = super().__new__(cls)
        record.attributes = {}
        return record

    def __setstate__(self, state: object) -> None:
        # Not copied: one dict as the state of many layers would take the file's size squared.
        self.attributes = _of_type(state, dict)


class Ignored:
    """Something harmless that no network needs, such as a NumPy array of the number of filters."""

    __slots__ = ()

    def __new__(cls, *_: object) -> Ignored:
        """Whatever it is made of."""
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        pass


class _OrderedDict(dict[Any, Any]):
    """Dicts keep their order today; the attributes of one (a state dict's `_metadata`) change no weight."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        pass


class _Sealed(Tensor):
    """A tensor while the pickle is read: of its methods, a pickle reaches these three, and a tensor's own compute."""

    def __setstate__(self, state: object) -> None:
        """Whether a parameter needs a gradient changes no weight."""

    def __setitem__(self, *_: Any) -> None:
        raise RefusedError("it changes a tensor")

    def add(self, *_: Any, **__: Any) -> Tensor:
        """What the pickle takes for a set's method."""
        raise RefusedError("it changes a tensor")


class _Constructor:
    """A function that a pickle may call. On a bare one it could set attributes."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: object) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: object) -> None:
        raise RefusedError("it changes a function")


def _of_type(value: object, kind: type[Any]) -> Any:
    if type(value) is not kind:
        raise RefusedError(f"it uses a {type(value).__name__} as a {kind.__name__}")
    return value


def _emptied(items: Any) -> list[Any]:
    """The items, taken out of their list: as one of many containers it would take the file's size squared."""
    taken = list(_of_type(items, list))
    items.clear()
    return taken


def _ordered_dict(*pairs: object) -> _OrderedDict:
    taken = [pair for items in pairs for pair in _emptied(items)]
    # Python 2 wrote lists; a tensor in their place would be taken apart into a tensor for each number.
    if not all(type(pair) in (list, tuple) for pair in taken):
        raise RefusedError("it has a dict that is not made of pairs")
    return _OrderedDict(taken)


def _set(items: object) -> set[Any]:
    return set(_emptied(items))


def _size(lengths: object) -> Any:
    return _of_type(lengths, tuple)


def _parameter(tensor: object, *_: object) -> Any:
    return _of_type(tensor, _Sealed)


_DTYPES: Final = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
# What stands for a name. Python 2 and 3, and two releases of NumPy, name some things differently.
_KNOWN: Final[dict[str, Any]] = {
    **{f"{package}.{name}": dtype for package in ("torch", "torch.cuda") for name, dtype in _DTYPES.items()},
    "collections.OrderedDict": _Constructor(_ordered_dict),
    "builtins.set": _Constructor(_set),
    "__builtin__.set": _Constructor(_set),
    "torch.Size": _Constructor(_size),
    "torch.nn.parameter.Parameter": _Constructor(_parameter),
    "torch._utils._rebuild_parameter": _Constructor(_parameter),
    # Alexander Buslaev's released LinkNet34 is of these, and of torch's layers.
    "torchvision.models.resnet.BasicBlock": ModuleRecord,
    "pytorch_zoo.linknet.LinkNet34": ModuleRecord,
    "pytorch_zoo.linknet.DecoderBlock": ModuleRecord,
    "_codecs.encode": Ignored,
    "numpy.dtype": Ignored,
    "numpy.ndarray": Ignored,
    "numpy.core.multiarray._reconstruct": Ignored,
    "numpy.core.multiarray.scalar": Ignored,
    "numpy._core.multiarray._reconstruct": Ignored,
    "numpy._core.multiarray.scalar": Ignored,
    # What computed a layer, in PyTorch up to 0.4.
    "torch.nn.backends.thnn._get_thnn_function_backend": Ignored,
}
_LAYERS: Final = ("torch.nn.modules.", "torch.nn.parallel.")
_TENSORS: Final = ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2")


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: IO[bytes], storages: Storages) -> None:
        super().__init__(stream, encoding="latin1")
        self.named = "none"
        self.sealed: list[Tensor] = []
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        """What stands for the name; it is not looked up. Raises RefusedError for a name that is not known."""
        self.named = f"{module}.{name}"
        if self.named in _KNOWN:
            return _KNOWN[self.named]
        if module.startswith(_LAYERS):
            return ModuleRecord
        if self.named in _TENSORS:
            return _Constructor(self._tensor)
        raise RefusedError(f"it asks for {self.named}")

    def persistent_load(self, identity: Any) -> Any:
        """What PyTorch keeps beside the pickle: storages, and in its older files the source of every layer's class.

        Raises:
            RefusedError: the reference is to anything else.
        """
        what, *rest = _of_type(identity, tuple)
        if _of_type(what, str) == "module" and rest and rest[0] is ModuleRecord:
            return ModuleRecord
        if what != "storage" or len(rest) < 4:
            raise RefusedError(f"it refers to {what!r}")
        dtype, key, _, numbers, *view = rest
        if any(part is not None for part in view):
            raise RefusedError("it has a storage that is part of another one; save the checkpoint anew")
        if type(dtype) is not torch.dtype or type(numbers) is not int or numbers < 0:
            raise RefusedError("it has a storage of no known kind")
        return self._seal(self._storages.flat(_of_type(key, str), dtype, numbers))

    def _tensor(self, storage: object, offset: Any, size: Any, stride: Any, *_: object) -> Tensor:
        flat = _of_type(storage, _Sealed)
        lengths = (offset, *_of_type(size, tuple), *_of_type(stride, tuple))
        # Past 64 bits nothing is an offset, and the product of a few long numbers could take all memory.
        if any(type(length) is not int or not 0 <= length < 2**63 for length in lengths) or len(size) != len(stride):
            raise RefusedError("it has a tensor without a size")
        last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
        if math.prod(size) > 0 and last >= flat.numel():
            raise RefusedError("it has a tensor that goes past the end of its storage")
        # A stride of 0 could make a tensor of any size from one number.
        if math.prod(size) > flat.numel():
            raise RefusedError("it has a tensor that is larger than its storage")
        return self._seal(flat.as_strided(size, stride, offset))

    def _seal(self, tensor: Tensor) -> Tensor:
        self.sealed.append(tensor.as_subclass(_Sealed))
        return self.sealed[-1]


def read_pickle(stream: IO[bytes], storages: Storages | None = None) -> Any:
    """The next pickle of the stream, which is left behind its end.

    Its memory is bounded: a few times the pickle's size, some hundred bytes for each operation, and the storages' room.
    Its time is not: tuples of tuples, as a key, can be hashed for years.

    Args:
        stream: in memory, so that no length in it makes room for more than there is.
        storages: gets those that the pickle names; without it, the pickle may have no numbers in one.

    Returns:
        dicts, lists, tuples, sets, numbers, text and bytes of the pickle, tensors, and the records of this module.

    Raises:
        RefusedError: it asks for anything else, or is no whole pickle.
    """
    reader = _Unpickler(io.BytesIO(next_pickle(stream)), Storages(room=0) if storages is None else storages)
    try:
        document = reader.load()
    except RefusedError:
        raise
    # Of a damaged or crafted pickle: the reader's documentation sets no limit to what it raises.
    except Exception as error:
        raise RefusedError(f"it is no whole pickle ({error}; the last name in it: {reader.named})") from None
    for tensor in reader.sealed:
        tensor.__class__ = Tensor
    return document
