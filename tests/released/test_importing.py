"""The authors' formats and ours, into the networks that they are of."""

import re
import struct
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from carvana.errors import UserError
from carvana.networks import linknet34, ternausnet, unet
from carvana.networks.initialisation import initialise
from carvana.recipe_files import load_recipe, resolved_document
from carvana.released.importing import import_network
from carvana.released.record import imported_record
from carvana.weights import load_weights, read_facts, save_weights
from tests.released import era

LINKNET = "linknet34_f04a_clahe"


def drawn(module, filters, encoder):
    network = module.build(filters)
    initialise(network, encoder, torch.Generator().manual_seed(5))
    return network


@pytest.fixture(scope="module")
def linknet():
    return drawn(linknet34, 32, "resnet34")


def equal(network, path):
    """Whether the file holds the network's weights, batch norm's counters left aside."""
    other = type(network)(32)
    load_weights(other, path)
    found = other.state_dict()
    return all(
        torch.equal(tensor, found[name])
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    )


@pytest.mark.parametrize("written", ["PyTorch 0.2", "older format", "newer format"])
def test_linknets_whole_module(written, linknet, tmp_path, monkeypatch):
    checkpoint, weights = tmp_path / "fold1_best.pth", tmp_path / "weights.safetensors"
    twin = drawn(linknet34, 32, "resnet34")
    parallel = era.dressed(twin, monkeypatch)
    if written == "PyTorch 0.2":
        era.save(parallel, checkpoint)
    else:
        for module in parallel.modules():
            module._backend = None
        torch.save(parallel, checkpoint, _use_new_zipfile_serialization=written == "newer format")
    found = import_network(load_recipe(LINKNET), 1, checkpoint, weights)
    assert found["format"] == "checkpoint, whole module"
    assert equal(linknet, weights)
    facts = read_facts(weights)
    assert (facts["model"], facts["fold"], facts["sha256"]) == (LINKNET, 1, found["checkpoint_sha256"])


@pytest.mark.parametrize(
    ("model", "module", "encoder", "key", "more", "zipped"),
    [
        ("ternausnet", ternausnet, "vgg11", "model", {"epoch": 3, "step": 9, "best_valid_loss": 0.1}, True),
        ("unet_scratch", unet, None, "state_dict", {"sizes": np.asarray([32, 64]), "best": np.float64(1)}, False),
    ],
)
def test_state_dicts_beside_other_things(model, module, encoder, key, more, zipped, tmp_path):
    network = drawn(module, 32, encoder)
    state = {f"module.{name}": tensor for name, tensor in network.state_dict().items() if "num_batches" not in name}
    torch.save({key: state, **more}, tmp_path / "best.pt", _use_new_zipfile_serialization=zipped)
    found = import_network(load_recipe(model), 0, tmp_path / "best.pt", tmp_path / "weights.safetensors")
    assert found["format"] == f"checkpoint, entry {key}, state dict"
    assert equal(network, tmp_path / "weights.safetensors")


def refusal(model, checkpoint, tmp_path, fold=0):
    with pytest.raises(UserError) as caught:
        import_network(load_recipe(model), fold, checkpoint, tmp_path / "weights.safetensors")
    assert not (tmp_path / "weights.safetensors").exists()
    return str(caught.value)


def test_another_networks_names_and_shapes_are_refused(linknet, tmp_path):
    torch.save({"model": linknet.state_dict()}, tmp_path / "best.pt")
    assert "holds no weights of TernausNet" in refusal("ternausnet", tmp_path / "best.pt", tmp_path)
    torch.save({"model": drawn(ternausnet, 16, "vgg11").state_dict()}, tmp_path / "best.pt")
    assert "of another shape" in refusal("ternausnet", tmp_path / "best.pt", tmp_path)
    for content in ({"epoch": 3}, {3: torch.zeros(1)}):
        torch.save(content, tmp_path / "best.pt")
        assert "holds no network" in refusal("ternausnet", tmp_path / "best.pt", tmp_path)
    assert "is not there" in refusal("ternausnet", tmp_path / "absent.pt", tmp_path)


class Opens:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_malicious_checkpoint_runs_nothing(linknet, tmp_path):
    state = linknet.state_dict()
    torch.save({"model": state, "epoch": Opens(tmp_path / "it-ran")}, tmp_path / "best.pt")
    # Python 3.12 calls the function by the module that it is written in.
    assert re.search(r"it asks for _?io\.open", refusal(LINKNET, tmp_path / "best.pt", tmp_path))
    assert not (tmp_path / "it-ran").exists()
    # It would have: torch itself, told to trust the file, runs it.
    torch.load(tmp_path / "best.pt", weights_only=False)
    assert (tmp_path / "it-ran").exists()


def ours(path, model=LINKNET, fold=1, **recipe):
    network = drawn(linknet34, 32, "resnet34")
    facts = {"model": model, "fold": fold, "epoch": 3, "recipe": resolved_document(model) | recipe}
    save_weights(path, network.state_dict(), facts)
    return path


def test_our_own_file_is_copied_byte_for_byte(tmp_path):
    checkpoint = ours(tmp_path / "fold1.safetensors")
    found = import_network(load_recipe(LINKNET), 1, checkpoint, tmp_path / "weights.safetensors")
    assert (tmp_path / "weights.safetensors").read_bytes() == checkpoint.read_bytes()
    assert found["checkpoint_sha256"] == found["weights_sha256"]


def test_our_own_file_must_be_of_the_model_fold_and_recipe(tmp_path):
    checkpoint = ours(tmp_path / "fold1.safetensors")
    assert "holds the weights of fold 1, expected fold 0" in refusal(LINKNET, checkpoint, tmp_path, fold=0)
    assert "weights of model linknet34_f04a_clahe, expected" in refusal("linknet34_f04a_s44", checkpoint, tmp_path, 1)
    prediction = {"mirror": {"value": False, "source": "ours"}, "to_8_bits": {"value": "truncate", "source": "ours"}}
    other = ours(tmp_path / "other.safetensors", prediction=prediction)
    assert "prediction differ from those of" in refusal(LINKNET, other, tmp_path, 1)
    save_weights(tmp_path / "bare.safetensors", nn.Linear(1, 1).state_dict(), {"model": LINKNET, "fold": 1})
    assert "does not say its recipe" in refusal(LINKNET, tmp_path / "bare.safetensors", tmp_path, 1)
    content = bytearray(checkpoint.read_bytes())
    content[:8] = struct.pack("<Q", 1 << 40)
    checkpoint.write_bytes(content)
    told = refusal(LINKNET, checkpoint, tmp_path, 1)
    assert "cannot be read as weights" in told
    assert told.endswith("; put a whole copy of it there, or set weights to trained")


def test_a_network_that_was_given_other_images_is_of_another_recipe(tmp_path):
    given = deepcopy(resolved_document(LINKNET)["input"])
    given["clahe"]["clip_limit"]["value"] = 4.0
    assert "input differ from those of" in refusal(LINKNET, ours(tmp_path / "o.safetensors", input=given), tmp_path, 1)


def test_the_record_of_an_imported_network_says_which_it_is():
    run = {"geometry": "small", "precision": "exact", "folds": 5, "networks": None}
    told = imported_record(LINKNET, "released", 3, run, {"checkpoint": "best.pt"})
    assert told["model"] == LINKNET
    expected = {
        "model": LINKNET,
        "fold": 3,
        "edition": "released",
        **run,
        "weights": "released",
        "checkpoint": "best.pt",
    }
    assert expected.items() <= told["run"].items()
