"""Each optimizer against its formulas in PyTorch 0.2, written out in NumPy."""

import numpy as np
import pytest
import torch

from carvana.errors import UserError
from carvana.optimizers import build_optimizer

STEPS = 7
RATE = 3e-3


def gradients(seed=1, shape=(4, 3)):
    """From large to vanishing, where the place of Adam's epsilon matters."""
    state = np.random.RandomState(seed)
    return [state.randn(*shape) * np.logspace(0, -9, shape[0])[:, None] for _ in range(STEPS)]


def taken(name, momentum=0.0, weight_decay=0.0):
    """The parameter after each step."""
    parameter = torch.nn.Parameter(torch.from_numpy(np.random.RandomState(0).randn(4, 3)))
    optimizer = build_optimizer(name, [parameter], RATE, momentum, weight_decay)
    path = []
    for gradient in gradients():
        parameter.grad = torch.from_numpy(gradient)
        optimizer.step()
        path.append(parameter.detach().numpy().copy())
    return path


def by_hand(rule, **memory):
    x = np.random.RandomState(0).randn(4, 3)
    path = []
    for t, g in enumerate(gradients(), start=1):
        x = rule(x, g, t, memory)
        path.append(x)
    return path


def adam_2017(x, g, t, memory):
    memory["m"] = 0.9 * memory["m"] + 0.1 * g
    memory["v"] = 0.999 * memory["v"] + 0.001 * g**2
    step = RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return x - step * memory["m"] / (np.sqrt(memory["v"]) + 1e-8)


def adam_of_today(x, g, t, memory):
    memory["m"] = 0.9 * memory["m"] + 0.1 * g
    memory["v"] = 0.999 * memory["v"] + 0.001 * g**2
    denominator = np.sqrt(memory["v"]) / np.sqrt(1 - 0.999**t) + 1e-8
    return x - RATE / (1 - 0.9**t) * memory["m"] / denominator


def rmsprop_2017(x, g, t, memory):
    memory["v"] = 0.99 * memory["v"] + 0.01 * g**2
    return x - RATE * g / (np.sqrt(memory["v"]) + 1e-8)


def sgd_2017(x, g, t, memory):
    g = g + 5e-4 * x
    memory["buffer"] = g if t == 1 else 0.9 * memory["buffer"] + g
    return x - RATE * memory["buffer"]


def test_adam_is_that_of_2017():
    found = taken("adam")
    assert np.array(found) == pytest.approx(np.array(by_hand(adam_2017, m=0.0, v=0.0)), rel=1e-12, abs=1e-14)
    assert np.abs(found[-1] - by_hand(adam_of_today, m=0.0, v=0.0)[-1]).max() > 1e-4


def test_rmsprop_is_that_of_2017():
    expected = np.array(by_hand(rmsprop_2017, v=0.0))
    assert np.array(taken("rmsprop")) == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_sgd_is_that_of_2017():
    expected = np.array(by_hand(sgd_2017))
    assert np.array(taken("sgd", momentum=0.9, weight_decay=5e-4)) == pytest.approx(expected, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_values_that_an_optimizer_would_not_use_are_refused(name):
    with pytest.raises(UserError, match="weight_decay must be 0"):
        build_optimizer(name, [torch.nn.Parameter(torch.zeros(1))], RATE, 0.0, 5e-4)


def test_adam_leaves_parameters_without_gradient_alone():
    still, moved = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    optimizer = build_optimizer("adam", [still, moved], RATE, 0.0, 0.0)
    moved.grad = torch.ones(2)
    optimizer.step()
    assert (still == 1).all() and (moved < 1).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_adam_goes_on_from_its_saved_state(dtype, tmp_path):
    def steps(parameter, optimizer, those):
        for gradient in those:
            parameter.grad = torch.from_numpy(gradient).to(dtype)
            optimizer.step()

    def begun():
        parameter = torch.nn.Parameter(torch.ones(4, 3, dtype=dtype))
        return parameter, build_optimizer("adam", [parameter], RATE, 0.0, 0.0)

    through, optimizer = begun()
    steps(through, optimizer, gradients())

    first, optimizer = begun()
    steps(first, optimizer, gradients()[:3])
    torch.save([first.detach(), optimizer.state_dict()], tmp_path / "state.pt")
    value, state = torch.load(tmp_path / "state.pt", weights_only=True)
    second, optimizer = begun()
    second.data.copy_(value)
    optimizer.load_state_dict(state)
    steps(second, optimizer, gradients()[3:])
    assert torch.equal(through, second)
