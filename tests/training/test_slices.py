import gc
import weakref
from functools import cache

import pytest
import torch

from carvana.geometry import SMALL
from carvana.networks.building import build_network
from carvana.networks.initialisation import initialise
from carvana.recipe_files import load_recipe
from carvana.training import parts
from carvana.training.slices import arranged

CPU = torch.device("cpu")


def given(model, images=4):
    recipe = load_recipe(model)
    network = build_network(recipe)
    initialise(network, recipe.network.encoder, torch.Generator().manual_seed(1))
    random = torch.Generator().manual_seed(2)
    images_N3HW = torch.rand(images, 3, 32, 32, generator=random)
    masks_N1HW = (torch.rand(images, 1, 32, 32, generator=random) > 0.5).float()
    return network.train(), parts.objective(recipe, SMALL), images_N3HW, masks_N1HW


def stepped(model, devices=1, checkpointing=False, precision="exact", images=4, dtype=torch.float32):
    """Output, gradients and everything else that a network is after a forward and a backward pass."""
    network, objective, images_N3HW, masks_N1HW = given(model, images)
    forward = arranged(network.to(dtype), precision, [CPU] * devices, checkpointing)
    output_N1HW = forward(images_N3HW.to(dtype))
    objective.terms(output_N1HW, masks_N1HW.to(dtype))["loss"].backward()
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    return output_N1HW.detach(), gradients, network.state_dict()


def deviation(one, other):
    """The largest of the tensors' deviations, each by its norm."""
    assert set(one) == set(other)
    return max(((one[name] - other[name]).norm() / other[name].norm()).item() for name in one)


def test_linknet34_computed_twice_has_the_same_bits_and_its_statistics_move_once():
    plain, twice = (stepped("linknet34_fma_s44", checkpointing=way) for way in (False, True))
    assert torch.equal(plain[0], twice[0])
    for one, other in zip(plain[1:], twice[1:], strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert plain[2]["firstbn.num_batches_tracked"] == 1


@cache
def plainly_stepped(precision, dtype):
    return stepped("ternausnet", precision=precision, dtype=dtype)


@pytest.mark.parametrize("precision", ["exact", pytest.param("bf16", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("devices", "checkpointing"), [(1, True), (2, False), (2, True), (4, False), (3, True)])
def test_ternausnet_differs_by_the_order_of_sums_only(devices, checkpointing, precision):
    # In float32 a sum in another order can round to the other side of zero, where a ReLU has another gradient.
    dtype = torch.float64 if precision == "exact" else torch.float32
    plain = plainly_stepped(precision, dtype)
    other = stepped("ternausnet", devices, checkpointing, precision, dtype=dtype)
    rounding = 1e-14 if precision == "exact" else 2**-8
    torch.testing.assert_close(other[0], plain[0], rtol=0, atol=rounding)
    # Of bfloat16's rounding some is left: each slice's gradients of the weights are rounded before they are summed.
    assert 0 < deviation(other[1], plain[1]) < (1e-12 if precision == "exact" else 2**-6)
    assert all(torch.equal(other[2][name], tensor) for name, tensor in plain[2].items())


def test_more_devices_than_images_leave_some_idle():
    plain, divided = (stepped("ternausnet", devices, images=3, dtype=torch.float64) for devices in (1, 4))
    torch.testing.assert_close(divided[0], plain[0], rtol=0, atol=1e-14)
    assert deviation(divided[1], plain[1]) < 1e-12


def test_replicas_follow_the_weights():
    network, objective, images_N3HW, masks_N1HW = given("ternausnet")
    forward = arranged(network, "exact", [CPU] * 2, False)
    before = forward(images_N3HW)
    objective.terms(before, masks_N1HW)["loss"].backward()
    torch.optim.SGD(network.parameters(), 1.0).step()
    after = forward(images_N3HW)
    plain = build_network(load_recipe("ternausnet"))
    plain.load_state_dict(network.state_dict())
    torch.testing.assert_close(after, plain(images_N3HW), rtol=0, atol=1e-6)
    assert (after - before).abs().max() > 1e-3


def test_a_step_repeats_itself_to_the_last_bit():
    one, other = (stepped("ternausnet", 4, True) for _ in range(2))
    assert all(torch.equal(one[1][name], other[1][name]) for name in one[1])


@pytest.mark.parametrize("precision", ["exact", "bf16"])
@pytest.mark.parametrize("gpus", [1, 2])
@pytest.mark.parametrize("activation_checkpointing", [False, True])
def test_a_network_that_nobody_uses_any_more_is_freed_at_once(precision, gpus, activation_checkpointing):
    """Else its GPU memory would stay taken until Python looks for circles of objects."""
    network, *_ = given("ternausnet")
    forward = arranged(network, precision, [CPU] * gpus, activation_checkpointing)
    forward(torch.rand(2, 3, 32, 32)).sum().backward()
    seen = weakref.ref(network)
    gc.collect()
    gc.disable()
    try:
        del network, forward
        assert seen() is None
    finally:
        gc.enable()
