"""Trainings of real recipes with a network of three layers, that tests can stop and take up again."""

import os
import signal

import torch

from carvana.geometry import SMALL
from carvana.interruption import Interruption
from carvana.recipe_files import load_recipe
from carvana.training import parts
from carvana.training.batches import Batch
from carvana.training.checkpoints import Checkpoints
from carvana.training.loop import Course, begin, fit
from carvana.training.session import Session

EPOCHS = 3


def batch(number, images=2):
    random = torch.Generator().manual_seed(number)
    image = torch.rand(images, 3, 128, 8, generator=random)
    mask = (torch.rand(images, 1, 128, 8, generator=random) > 0.5).float()
    return Batch((f"image {number}",) * images, image, mask)


def small_network(model, channels):
    random = torch.Generator().manual_seed(7)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, channels, 3, padding=1),
        torch.nn.BatchNorm2d(channels),
        torch.nn.Conv2d(channels, 1, 1),
        torch.nn.Sigmoid() if model == "ternausnet" else torch.nn.Identity(),
    )
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=random)
    return network


class Training:
    """A training of a recipe with a small network, begun anew, and its saved states in `folder`."""

    def __init__(self, model, folder, seconds=1e9, batches=None, channels=4):
        recipe = load_recipe(model)
        given = batches or [[batch(10 * epoch + number) for number in range(6)] for epoch in range(EPOCHS)]
        self.loaded: list[tuple[int, int]] = []

        def training_batches(epoch, first):
            self.loaded.append((epoch, first))
            return given[epoch][first:]

        validation = [batch(100), batch(101), batch(102)]
        self.course = Course(
            recipe, parts.objective(recipe, SMALL), EPOCHS, training_batches, lambda first: validation[first:]
        )
        self.said: list[str] = []
        checkpoints = Checkpoints(folder, lambda: None, self.said.append)
        network = small_network(model, channels)
        self.session = Session(model, recipe, begin(self.course, network, network), checkpoints, seconds)

    def run(self, stop_after=None, at_rest=lambda: None):
        """To the end, or until a signal comes behind that many batches."""
        session, rests = self.session, 0
        session.go_on()

        def on_epoch(record):
            session.history.append(record)
            if record.selected:
                session.keep_best(record.epoch, {})

        with Interruption() as interruption:

            def on_rest(where):
                nonlocal rests
                rests += 1
                if rests == stop_after:
                    os.kill(os.getpid(), signal.SIGTERM)
                session.rest(where, interruption)
                at_rest()

            fit(self.course, session.state, lambda step: None, on_epoch, on_rest)
        return result(session)


def result(session):
    """Everything that a training leaves."""
    state = session.state
    optimizer = state.optimizer.state_dict()
    return {
        "network": {name: tensor.clone() for name, tensor in state.network.state_dict().items()},
        "optimizer": {(i, k): v for i, entry in optimizer["state"].items() for k, v in entry.items()},
        "groups": optimizer["param_groups"],
        "kind": type(state.optimizer),
        "history": session.history,
        "best": state.best,
    }


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, dict):
            assert_same(value, other[name])
        elif isinstance(value, torch.Tensor):
            assert torch.equal(value, other[name]), name
        else:
            assert value == other[name], name


def states(folder):
    """The files of the saved states, in order."""
    return sorted(path for path in folder.iterdir() if path.name.startswith("state-"))
