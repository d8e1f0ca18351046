import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn

from carvana.errors import UserError
from carvana.networks import ternausnet, unet
from carvana.networks.initialisation import initialise
from carvana.weights import fill, load_weights, read_facts, save_weights


def drawn(module, encoder=None, seed=1):
    network = module.build(2)
    initialise(network, encoder, torch.Generator().manual_seed(seed))
    return network


def equal(one, other):
    return all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in one.state_dict().items())


def test_a_network_comes_back(tmp_path):
    network = drawn(unet).train()
    network(torch.rand(2, 3, 64, 64))  # moves the running statistics and counters
    save_weights(tmp_path / "weights.safetensors", network.state_dict(), {"model": "unet_scratch", "epoch": 3})
    loaded = drawn(unet, seed=2)
    load_weights(loaded, tmp_path / "weights.safetensors")
    assert equal(network, loaded)
    assert read_facts(tmp_path / "weights.safetensors") == {"model": "unet_scratch", "epoch": 3}


def test_tensors_with_two_names_are_stored_once_and_come_back_under_both(tmp_path):
    network = drawn(ternausnet, "vgg11")
    path = tmp_path / "weights.safetensors"
    save_weights(path, network.state_dict(), {})
    with safe_open(path, "pt") as file:
        assert set(file.keys()) == {name for name, _ in network.named_parameters()}
    loaded = drawn(ternausnet, "vgg11", seed=2)
    load_weights(loaded, path)
    assert equal(network, loaded)
    assert loaded.conv4s.weight is loaded.encoder[11].weight


def test_equal_weights_and_facts_give_equal_bytes(tmp_path):
    state = drawn(unet).state_dict()
    save_weights(tmp_path / "a", state, {"fold": 1, "model": "m", "seed": None})
    save_weights(tmp_path / "b", state, {"seed": None, "model": "m", "fold": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_others_may_read_them_as_they_may_any_file(tmp_path):
    (tmp_path / "any").touch()
    (tmp_path / "w.partial").touch(mode=0o600)  # a killed writer's
    save_weights(tmp_path / "w", drawn(unet).state_dict(), {})
    assert (tmp_path / "w").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_double_precision_is_kept(tmp_path):
    layer = nn.Linear(2, 2).double()
    save_weights(tmp_path / "w", layer.state_dict(), {})
    other = nn.Linear(2, 2).double()
    load_weights(other, tmp_path / "w")
    assert torch.equal(layer.weight, other.weight)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_released_checkpoint_fills_the_network(prefix):
    """Both names of a tensor, no counters (PyTorch 0.2 had none), and DataParallel's prefix."""
    for module, encoder in ((ternausnet, "vgg11"), (unet, None)):
        network = drawn(module, encoder)
        state = {
            prefix + name: tensor.clone()
            for name, tensor in network.state_dict().items()
            if not name.endswith("num_batches_tracked")
        }
        loaded = drawn(module, encoder, seed=2)
        fill(loaded, state, "best-model_0.pt")
        assert equal(network, loaded)


def without(state, name):
    return {other: tensor for other, tensor in state.items() if other != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: without(state, "up3.conv.convs.1.0.bias"), r"1 missing \(up3.conv.convs.1.0.bias\)"),
        (lambda state: without(state, "down1.conv.convs.0.1.running_mean"), r"1 missing \(.*running_mean\)"),
        (lambda state: state | {"extra": torch.zeros(1)}, r"1 unknown \(extra\)"),
        (lambda state: state | {"final.weight": torch.zeros(1, 3, 1, 1)}, r"1 of another shape \(final.weight\)"),
    ],
)
def test_anything_else_than_the_networks_own_names_and_shapes_is_refused(change, message):
    network = drawn(unet)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(UserError, match="here.pt holds no weights of UNet: " + message):
        fill(network, change(drawn(unet, seed=2).state_dict()), "here.pt")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_an_encoders_tensor_may_not_be_missing_under_both_names():
    network = drawn(ternausnet, "vgg11")
    state = without(without(network.state_dict(), "conv5.bias"), "encoder.18.bias")
    with pytest.raises(UserError, match=r"2 missing \(encoder.18.bias, conv5.bias\)"):
        fill(network, state, "here.pt")


@pytest.mark.parametrize("read", [read_facts, lambda path: load_weights(nn.Linear(3, 4), path)])
@pytest.mark.parametrize("damage", ["truncated", "garbage", "absent"])
def test_a_file_that_is_not_whole_is_named(read, damage, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(path, nn.Linear(3, 4).state_dict(), {})
    whole = path.read_bytes()
    path.write_bytes(np.random.RandomState(0).bytes(100) if damage == "garbage" else whole[:-5])
    if damage == "absent":
        path.unlink()
    with pytest.raises(UserError, match="cannot be read as weights"):
        read(path)
