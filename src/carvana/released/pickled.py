"""Reads a pickle without running it: containers, numbers, text and records of tensors; everything else is refused.

Python's own reader calls whatever a pickle names, so a file can run any program. This one is an interpreter of the
pickle's opcodes of its own: it imports nothing and calls nothing that a file names. What PyTorch's files of 2017 and
today need is known here by name and rebuilt as plain records.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, Final

from carvana.errors import UserError


@dataclass(frozen=True)
class Name:
    """What a pickle names by module and name; never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True)
class Storage:
    """A run of numbers that lies elsewhere in the file.

    Attributes:
        kind: PyTorch's name of its type, such as `FloatStorage`.
        key: by which the file finds it.
        numbers: how many there are.
    """

    kind: str
    key: str
    numbers: int


@dataclass(frozen=True)
class TensorRecord:
    """A tensor: a view of a storage, in numbers, not in bytes."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True)
class ModuleRecord:
    """A layer or network that was pickled whole: its attributes, and nothing that computes."""

    kind: Name
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ignored:
    """Something harmless that no network needs, such as a NumPy array of the number of filters."""

    kind: Name


# Layers and networks: torch's, torchvision's, and the classes of Alexander Buslaev's released LinkNet34.
_MODULE_PACKAGES: Final = ("torch.nn.modules.", "torch.nn.parallel.")
_MODULE_CLASSES: Final = frozenset(
    {
        "torchvision.models.resnet.BasicBlock",
        "pytorch_zoo.linknet.LinkNet34",
        "pytorch_zoo.linknet.DecoderBlock",
    }
)
_STORAGE_PACKAGES: Final = ("torch", "torch.cuda")

# Python 2 and 3 name them differently.
_DICTS: Final = frozenset({"collections.OrderedDict"})
_SETS: Final = frozenset({"builtins.set", "__builtin__.set"})
_TENSORS: Final = frozenset({"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"})
_PARAMETERS: Final = frozenset({"torch.nn.parameter.Parameter", "torch._utils._rebuild_parameter"})
_SIZES: Final = frozenset({"torch.Size"})
_IGNORED: Final = frozenset(
    {
        "_codecs.encode",
        "numpy.dtype",
        "numpy.ndarray",
        *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
        # What computed a layer, in PyTorch up to 0.4.
        "torch.nn.backends.thnn._get_thnn_function_backend",
    }
)
_CALLED: Final = _DICTS | _SETS | _TENSORS | _PARAMETERS | _SIZES | _IGNORED


class RefusedError(ValueError):
    """The pickle asks for something that no checkpoint needs, or is not well formed."""


def read_pickle(stream: IO[bytes]) -> Any:
    """The next pickle of the stream, which is left behind its end.

    Returns:
        dicts, lists, tuples, sets, numbers, text and bytes of the pickle, and the records of this module.

    Raises:
        RefusedError: it asks for anything else, or is no whole pickle.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            machine.step(opcode.name, argument)
    except RefusedError:
        raise
    # pickletools and the containers themselves, of a damaged or crafted pickle.
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, UnicodeError, OverflowError) as error:
        raise RefusedError(f"it is no whole pickle ({error})") from None
    return machine.result


_MARK: Final = object()
_PUSHED: Final = frozenset(
    {
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    }
)
_CONSTANTS: Final[dict[str, Callable[[], Any]]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": set,
}
_SKIPPED: Final = frozenset({"PROTO", "FRAME"})


class _Machine:
    """The stack and the memory of a pickle that is being read."""

    def __init__(self) -> None:
        self.result: Any = None
        self._stack: list[Any] = []
        self._memory: dict[int, Any] = {}

    def step(self, opcode: str, argument: Any) -> None:
        stack = self._stack
        if opcode in _PUSHED:
            stack.append(argument)
        elif opcode in _CONSTANTS:
            stack.append(_CONSTANTS[opcode]())
        elif opcode in _SKIPPED:
            pass
        else:
            handler = getattr(self, f"_{opcode.lower()}", None)
            if handler is None:
                raise RefusedError(f"it uses the pickle operation {opcode}")
            handler(argument)

    def _stop(self, _: None) -> None:
        self.result = self._stack.pop()

    def _mark(self, _: None) -> None:
        self._stack.append(_MARK)

    def _since_mark(self) -> list[Any]:
        place = len(self._stack) - 1
        while self._stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise RefusedError("it is no whole pickle (no mark)")
        items = self._stack[place + 1 :]
        del self._stack[place:]
        return items

    def _pop(self, _: None) -> None:
        self._stack.pop()

    def _pop_mark(self, _: None) -> None:
        self._since_mark()

    def _dup(self, _: None) -> None:
        self._stack.append(self._stack[-1])

    def _binput(self, place: int) -> None:
        self._memory[int(place)] = self._stack[-1]

    _put = _long_binput = _binput

    def _memoize(self, _: None) -> None:
        self._memory[len(self._memory)] = self._stack[-1]

    def _binget(self, place: int) -> None:
        self._stack.append(self._memory[int(place)])

    _get = _long_binget = _binget

    def _tuple(self, _: None) -> None:
        self._stack.append(tuple(self._since_mark()))

    def _tuple_of(self, count: int) -> None:
        items = tuple(self._stack.pop() for _ in range(count))
        self._stack.append(items[::-1])

    def _tuple1(self, _: None) -> None:
        self._tuple_of(1)

    def _tuple2(self, _: None) -> None:
        self._tuple_of(2)

    def _tuple3(self, _: None) -> None:
        self._tuple_of(3)

    def _list(self, _: None) -> None:
        self._stack.append(self._since_mark())

    def _dict(self, _: None) -> None:
        self._stack.append(dict(_pairs(self._since_mark())))

    def _append(self, _: None) -> None:
        item = self._stack.pop()
        _of_type(self._stack[-1], list).append(item)

    def _appends(self, _: None) -> None:
        items = self._since_mark()
        _of_type(self._stack[-1], list).extend(items)

    def _setitem(self, _: None) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        _of_type(self._stack[-1], dict)[key] = value

    def _setitems(self, _: None) -> None:
        items = self._since_mark()
        _of_type(self._stack[-1], dict).update(_pairs(items))

    def _additems(self, _: None) -> None:
        items = self._since_mark()
        _of_type(self._stack[-1], set).update(items)

    def _global(self, both: str) -> None:
        module, _, name = both.partition(" ")
        self._stack.append(_allowed(Name(module, name)))

    def _stack_global(self, _: None) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._stack.append(_allowed(Name(_of_type(module, str), _of_type(name, str))))

    def _reduce(self, _: None) -> None:
        arguments, called = self._stack.pop(), self._stack.pop()
        self._stack.append(_rebuilt(_of_type(called, Name), _of_type(arguments, tuple)))

    def _newobj(self, _: None) -> None:
        arguments, kind = self._stack.pop(), _of_type(self._stack.pop(), Name)
        if not _is_module(kind) or arguments != ():
            raise RefusedError(f"it makes an object of {kind}")
        self._stack.append(ModuleRecord(kind))

    def _build(self, _: None) -> None:
        state, built = self._stack.pop(), self._stack[-1]
        if isinstance(built, ModuleRecord):
            built.attributes.update(_of_type(state, dict))
        # The attributes of a dict (`_metadata`) and whether a parameter needs a gradient change no weight.
        elif not isinstance(built, dict | TensorRecord | Ignored):
            raise RefusedError(f"it changes a {type(built).__name__}")

    def _binpersid(self, _: None) -> None:
        self._stack.append(_persistent(self._stack.pop()))


def _pairs(items: list[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(items[::2], items[1::2], strict=True)


def _of_type(value: Any, kind: type[Any]) -> Any:
    if type(value) is not kind:
        raise RefusedError(f"it uses a {type(value).__name__} as a {kind.__name__}")
    return value


def _is_module(name: Name) -> bool:
    return name.module.startswith(_MODULE_PACKAGES) or str(name) in _MODULE_CLASSES


def _is_storage(name: Name) -> bool:
    return name.module in _STORAGE_PACKAGES and name.name.endswith("Storage")


def _allowed(name: Name) -> Name:
    if str(name) in _CALLED or _is_storage(name) or _is_module(name):
        return name
    raise RefusedError(f"it asks for {name}")


def _rebuilt(called: Name, arguments: tuple[Any, ...]) -> Any:
    """What a call that the pickle asks for would have given."""
    asked = str(called)
    if asked in _DICTS and not arguments:
        return {}
    if asked in _DICTS and len(arguments) == 1:
        return dict(_of_type(arguments[0], list))
    if asked in _SETS and len(arguments) <= 1:
        return {item for items in arguments for item in _of_type(items, list)}
    if asked in _SIZES and len(arguments) == 1:
        return tuple(arguments[0])
    if asked in _TENSORS and len(arguments) >= 4:
        storage, offset, size, stride = arguments[:4]
        lengths = (*_of_type(size, tuple), *_of_type(stride, tuple), offset)
        if any(type(length) is not int or length < 0 for length in lengths) or len(size) != len(stride):
            raise RefusedError("it has a tensor without a size")
        return TensorRecord(_of_type(storage, Storage), offset, size, stride)
    if asked in _PARAMETERS and arguments:
        return _of_type(arguments[0], TensorRecord)
    if asked in _IGNORED:
        return Ignored(called)
    raise RefusedError(f"it calls {called}")


def _persistent(identity: Any) -> Any:
    """What PyTorch keeps beside the pickle: storages, and in its older files the source of every layer's class."""
    what, *rest = _of_type(identity, tuple)
    if what == "module" and rest:
        return _of_type(rest[0], Name)
    if what != "storage" or len(rest) < 4:
        raise RefusedError(f"it refers to {what!r}")
    kind, key, _, numbers, *view = rest
    if view not in ([], [None]):
        raise RefusedError("it has a storage that is part of another one; save the checkpoint anew")
    if not _is_storage(_of_type(kind, Name)) or type(numbers) is not int or numbers < 0:
        raise RefusedError("it has a storage of no known kind")
    return Storage(kind.name, str(key), numbers)


def refused(path: object, problem: object) -> UserError:
    """The error that names the file."""
    return UserError(
        f"{path} is not read: {problem}. A checkpoint holds tensors, containers and layers, and nothing of it is ever"
        " run; get the file from where it was published"
    )
