"""Files in the layout of torchvision's, with random values, from a server on loopback through the real script."""

import contextlib
import hashlib
import json
import pickle
import re
import runpy
import sys
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from carvana.encoder_weights import encoder_state, fetch, load_encoder
from carvana.errors import UserError
from carvana.networks import linknet34, ternausnet, vgg_unet
from carvana.recipe_files import load_recipe
from carvana.training.draws import Draws
from carvana.training.run import initial_network
from tests.one_file import OneFile
from tests.programs import SCRIPTS

SCRIPT = SCRIPTS / "encoder_weights.py"


def convolution(outputs, inputs, side):
    return {"weight": (outputs, inputs, side, side)}


def batch_norm(channels):
    return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (channels,))


def vgg11_layout():
    """Name -> shape of torchvision's vgg11 file, with narrow classifiers."""
    widths = {0: (64, 3), 3: (128, 64), 6: (256, 128), 8: (256, 256)}
    widths |= {11: (512, 256), 13: (512, 512), 16: (512, 512), 18: (512, 512)}
    parts = {f"features.{index}": convolution(*width, 3) | {"bias": width[:1]} for index, width in widths.items()}
    parts |= {f"classifier.{index}": {"weight": (10, 10), "bias": (10,)} for index in (0, 3, 6)}
    return {f"{part}.{entry}": shape for part, entries in parts.items() for entry, shape in entries.items()}


def resnet34_layout():
    """Name -> shape of torchvision's resnet34 file of 2017, without batch norm's counters."""
    parts = {"conv1": convolution(64, 3, 7), "bn1": batch_norm(64)}
    before = 64
    for stage, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)], start=1):
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            parts |= {f"{name}.conv1": convolution(width, before, 3), f"{name}.bn1": batch_norm(width)}
            parts |= {f"{name}.conv2": convolution(width, width, 3), f"{name}.bn2": batch_norm(width)}
            if before != width:
                parts |= {f"{name}.downsample.0": convolution(width, before, 1)}
                parts |= {f"{name}.downsample.1": batch_norm(width)}
            before = width
    parts["fc"] = {"weight": (1000, 512), "bias": (1000,)}
    return {f"{part}.{entry}": shape for part, entries in parts.items() for entry, shape in entries.items()}


def published_file(folder, encoder, tensors, **how):
    """Write the tensors under a name that carries the beginning of the file's SHA-256."""
    path = folder / "file.pth"
    torch.save(tensors, path, **how)
    return path.rename(folder / f"{encoder}-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth")


@pytest.fixture(scope="module")
def tensors():
    generator = torch.Generator().manual_seed(1)
    layouts = {"vgg11": vgg11_layout(), "resnet34": resnet34_layout()}
    return {
        encoder: {name: torch.rand(shape, generator=generator) for name, shape in layout.items()}
        for encoder, layout in layouts.items()
    }


@pytest.fixture(scope="module")
def published(tensors, tmp_path_factory):
    """Encoder -> its file."""
    folder = tmp_path_factory.mktemp("published")
    return {encoder: published_file(folder, encoder, values) for encoder, values in tensors.items()}


@pytest.fixture(scope="module")
def little(tmp_path_factory):
    """A file of few bytes, for what its content does not matter to."""
    return published_file(tmp_path_factory.mktemp("little"), "vgg11", {"features.0.bias": torch.arange(64.0)})


@pytest.mark.parametrize(
    ("model", "encoder"), [("ternausnet", "vgg11"), ("linknet34_f04a_s44", "resnet34"), ("unet_vgg11", "vgg11")]
)
def test_a_training_begins_with_the_encoder_of_its_file_and_random_weights_elsewhere(model, encoder, published):
    recipe, draws = load_recipe(model), Draws(0, None, model, 0)
    expected = initial_network(recipe, draws, None)
    load_encoder(expected, encoder, published[encoder])
    begun = initial_network(recipe, draws, published[encoder]).state_dict()
    torch.testing.assert_close(begun, expected.state_dict(), rtol=0, atol=0)
    for name, value in encoder_state(encoder, published[encoder]).items():
        assert torch.equal(begun[name], value)


@pytest.fixture
def serve(monkeypatch):
    """Start a server of a file that stops after the test."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with contextlib.ExitStack() as closing:
        yield lambda path, *behaviours: closing.enter_context(OneFile(path.name, path.read_bytes(), *behaviours))


@pytest.fixture
def run_script(monkeypatch):
    def run(**options):
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
        runpy.run_path(str(SCRIPT), run_name="__main__")

    return run


def folder_content(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("encoder", ["vgg11", "resnet34"])
def test_script_downloads_and_writes_a_receipt(serve, run_script, published, tmp_path, encoder):
    server, path = serve(published[encoder]), published[encoder]
    target, receipt = tmp_path / path.name, tmp_path / "receipts" / "encoder.json"
    run_script(encoder=encoder, file=target, url=server.address, receipt=receipt)
    assert target.read_bytes() == path.read_bytes()
    assert json.loads(receipt.read_text()) == {
        "encoder": encoder,
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "tensors": {"vgg11": 16, "resnet34": 180}[encoder],
        "source": server.address,
    }
    run_script(encoder=encoder, file=target, url=server.address, receipt=receipt)
    assert server.requests == 1


def test_two_runs_that_fetch_at_once_do_not_disturb_each_other(serve, little, tmp_path):
    server, target = serve(little, "at once", "at once"), tmp_path / little.name
    with ThreadPoolExecutor() as runs:
        list(runs.map(lambda _: fetch(server.address, target, pause_seconds=0.01), range(2)))
    assert target.read_bytes() == little.read_bytes()
    assert (server.requests, folder_content(tmp_path)) == (2, [little.name])


def test_script_takes_a_local_file(run_script, published, tmp_path):
    receipt = tmp_path / "receipt.json"
    run_script(encoder="vgg11", file=published["vgg11"], receipt=receipt)
    assert json.loads(receipt.read_text())["source"] == "local file"


def assert_told(capsys, *parts):
    """One message, no traceback."""
    message = capsys.readouterr().err
    assert message.startswith("error: ") and message.count("\n") == 1
    for part in parts:
        assert part in message


def test_script_says_where_a_local_file_belongs(run_script, tmp_path, capsys):
    path = tmp_path / "vgg11-0123abcd.pth"
    with pytest.raises(SystemExit, match="1"):
        run_script(encoder="vgg11", file=path, receipt=tmp_path / "receipt.json")
    assert_told(capsys, str(path), "is not there")
    assert folder_content(tmp_path) == []


def test_script_refuses_a_local_file_that_is_another(run_script, little, tmp_path, capsys):
    path = tmp_path / "vgg11-0123abcd.pth"
    path.write_bytes(little.read_bytes())
    with pytest.raises(SystemExit, match="1"):
        run_script(encoder="vgg11", file=path, receipt=tmp_path / "receipt.json")
    assert_told(capsys, "is not the published vgg11-0123abcd.pth", hashlib.sha256(little.read_bytes()).hexdigest()[:8])
    assert folder_content(tmp_path) == [path.name]


def test_script_refuses_a_name_without_a_hash(run_script, little, tmp_path, capsys):
    path = tmp_path / "vgg11.pth"
    path.write_bytes(little.read_bytes())
    with pytest.raises(SystemExit, match="1"):
        run_script(encoder="vgg11", file=path, receipt=tmp_path / "receipt.json")
    assert_told(capsys, "does not carry the beginning of a SHA-256")


def test_script_gives_up_at_once_where_the_file_is_not(serve, run_script, little, tmp_path, capsys):
    server = serve(little, "404")
    with pytest.raises(SystemExit, match="1"):
        run_script(encoder="vgg11", file=tmp_path / little.name, url=server.address, receipt=tmp_path / "receipt.json")
    assert_told(capsys, server.address, "404", "encoder_weights")
    assert server.requests == 1
    assert folder_content(tmp_path) == []


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        ("cut", "bytes arrived"),
        ("cut, length not stated", "is not the published"),
        ("other bytes", "is not the published"),
        ("429", "429"),
        ("503", "503"),
    ],
)
def test_passing_faults_are_tried_again_and_lasting_ones_told(serve, little, tmp_path, behaviour, told):
    path = tmp_path / little.name
    lasting = serve(little, *[behaviour] * 4)
    with pytest.raises(UserError, match=told):
        fetch(lasting.address, path, pause_seconds=0)
    assert lasting.requests == 4
    assert folder_content(tmp_path) == []
    passing = serve(little, *[behaviour] * 3)
    assert fetch(passing.address, path, pause_seconds=0) == hashlib.sha256(little.read_bytes()).hexdigest()
    assert path.read_bytes() == little.read_bytes()


def test_a_refused_connection_is_told(serve, little, tmp_path):
    server = serve(little)
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError, match=re.escape(server.address)):
        fetch(server.address, tmp_path / little.name, pause_seconds=0)
    assert folder_content(tmp_path) == []


@pytest.mark.parametrize("name", ["vgg11.pth", "vgg11-bbd30ac9.pth.tar", "vgg11-bbd3.pth"])
def test_nothing_is_downloaded_that_could_not_be_verified(serve, little, tmp_path, name):
    server = serve(little)
    with pytest.raises(UserError, match="does not carry the beginning of a SHA-256"):
        fetch(server.address, tmp_path / name, pause_seconds=0)
    assert server.requests == 0


def test_what_is_no_url_is_told(tmp_path):
    with pytest.raises(UserError, match="unknown url type"):
        fetch("models/vgg11-bbd30ac9.pth", tmp_path / "vgg11-bbd30ac9.pth", pause_seconds=0)


def test_a_file_that_is_there_is_verified_not_replaced(serve, little, tmp_path):
    path = tmp_path / little.name
    path.write_bytes(b"something else")
    server = serve(little)
    with pytest.raises(UserError, match="is not the published"):
        fetch(server.address, path, pause_seconds=0)
    assert server.requests == 0
    assert path.read_bytes() == b"something else"


def as_parameters(values):
    return {name: nn.Parameter(tensor) for name, tensor in values.items()}


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("form", [dict, as_parameters])
def test_both_serialisations_are_read(tensors, tmp_path, legacy, form):
    """The files of 2017 are in the serialisation before the zip archives and hold parameters."""
    values = {name: tensors["vgg11"][name] for name in ("features.0.weight", "features.18.bias", "classifier.0.bias")}
    path = published_file(tmp_path, "vgg11", form(values), _use_new_zipfile_serialization=not legacy)
    state = encoder_state("vgg11", path)
    assert set(state) == {"encoder.0.weight", "encoder.18.bias"}
    for name, tensor in state.items():
        assert torch.equal(tensor, values[name.replace("encoder", "features")])
        assert not tensor.requires_grad


class PicklerOf2017(pickle.Pickler):
    """Pickles parameters and tensors by the calls that PyTorch 0.2 wrote."""

    def reducer_override(self, thing: Any) -> Any:
        if type(thing) is nn.Parameter:
            return nn.Parameter, (thing.data,), (True, False, OrderedDict())  # requires_grad, volatile, hooks
        if type(thing) is torch.Tensor:
            place = (thing.storage_offset(), tuple(thing.size()), thing.stride())
            return torch._utils._rebuild_tensor, (thing._typed_storage(), *place)
        return NotImplemented


def test_parameters_as_pytorch_of_2017_pickled_them_are_read(tensors, tmp_path):
    values = {name: tensors["vgg11"][name] for name in ("features.0.weight", "features.18.bias")}
    module = ModuleType("pickle_of_2017")
    module.Pickler = PicklerOf2017  # type: ignore[attr-defined]
    module.dump = lambda thing, stream, protocol: PicklerOf2017(stream, protocol).dump(thing)  # type: ignore[attr-defined]
    how = {"pickle_module": module, "_use_new_zipfile_serialization": False}
    path = published_file(tmp_path, "vgg11", OrderedDict(as_parameters(values)), **how)
    assert b"_rebuild_tensor\n" in path.read_bytes()
    state = encoder_state("vgg11", path)
    for name, tensor in values.items():
        assert torch.equal(state[name.replace("features", "encoder")], tensor)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_file_cut_short_is_not_read(tensors, tmp_path, legacy):
    values = {"features.0.weight": tensors["vgg11"]["features.0.weight"]}
    path = published_file(tmp_path, "vgg11", values, _use_new_zipfile_serialization=not legacy)
    content = path.read_bytes()
    for length in (0, 10, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(UserError, match="cannot be read as PyTorch weights"):
            encoder_state("vgg11", path)


class Harmful:
    def __reduce__(self):
        return print, ("executed",)


def test_a_file_that_would_execute_something_is_not_read(tmp_path, capsys):
    path = published_file(tmp_path, "vgg11", {"features.0.weight": Harmful()})
    with pytest.raises(UserError, match="cannot be read as PyTorch weights"):
        encoder_state("vgg11", path)
    assert capsys.readouterr().out == ""


# Our names of some of torchvision's entries: first, last and one of every kind.
OURS = {
    "vgg11": {"features.0.weight": "encoder.0.weight", "features.18.bias": "encoder.18.bias"},
    "resnet34": {
        "conv1.weight": "firstconv.weight",
        "bn1.running_var": "firstbn.running_var",
        "layer1.0.conv1.weight": "encoder1.0.conv1.weight",
        "layer2.0.downsample.1.running_mean": "encoder2.0.downsample.1.running_mean",
        "layer4.2.bn2.bias": "encoder4.2.bn2.bias",
    },
}
BUILT = [("vgg11", ternausnet, 2), ("vgg11", vgg_unet, 2), ("resnet34", linknet34, 4)]


@pytest.mark.parametrize(("encoder", "module", "filters"), BUILT)
def test_encoder_is_replaced_and_decoder_left(published, tensors, encoder, module, filters):
    network = module.build(filters)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    load_encoder(network, encoder, published[encoder])
    after = network.state_dict()
    for theirs, ours in OURS[encoder].items():
        assert torch.equal(after[ours], tensors[encoder][theirs])
    replaced = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    aliases = (
        {"conv1", "conv2", "conv3s", "conv3", "conv4s", "conv4", "conv5s", "conv5"} if encoder == "vgg11" else set()
    )
    parts = {"vgg11": {"encoder"}, "resnet34": {"firstconv", "firstbn"} | {f"encoder{n}" for n in range(1, 5)}}
    expected = {name for name in before if name.split(".")[0] in parts[encoder] | aliases}
    assert replaced == {name for name in expected if not name.endswith("num_batches_tracked")}
    assert len(expected) < len(before)


def test_counters_of_later_files_are_taken(tensors, tmp_path):
    layers = [name.removesuffix("running_var") for name in tensors["resnet34"] if name.endswith("running_var")]
    counters = {f"{layer}num_batches_tracked": torch.tensor(7) for layer in layers}
    network = linknet34.build(4)
    load_encoder(network, "resnet34", published_file(tmp_path, "resnet34", tensors["resnet34"] | counters))
    state = network.state_dict()
    assert state["encoder3.5.bn2.num_batches_tracked"] == 7
    assert state["decoder4.norm1.num_batches_tracked"] == 0


@pytest.mark.parametrize("change", ["missing", "shape", "other encoder"])
def test_a_file_of_something_else_is_refused(tensors, published, tmp_path, change):
    values = dict(tensors["vgg11"])
    if change == "missing":
        del values["features.16.bias"]
    if change == "shape":
        values["features.16.bias"] = torch.rand(511)
    path = published["resnet34"] if change == "other encoder" else published_file(tmp_path, "vgg11", values)
    network = ternausnet.build(2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(UserError, match="does not hold a vgg11") as refused:
        load_encoder(network, "vgg11", path)
    if change != "other encoder":
        assert "encoder.16.bias" in str(refused.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
