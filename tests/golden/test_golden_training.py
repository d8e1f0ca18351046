"""The winners' training trajectories, through the training loop that trains for real; in float64, on given batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from carvana.geometry import FULL
from carvana.networks.building import build_network
from carvana.recipe import Recipe
from carvana.recipe_files import load_recipe
from carvana.training import parts
from carvana.training.batches import Batch
from carvana.training.callbacks import EpochRecord, StepRecord
from carvana.training.loop import Course, begin, run_epoch, train_epoch
from carvana.training.slices import arranged
from carvana.training.state import TrainingState
from carvana.training.validation import validate
from tests.golden.compare import close, equal
from tests.golden.inputs import ellipse_mask, parameter

pytestmark = pytest.mark.slow

LOSS_TOLERANCE = 1e-9
OUTPUT_TOLERANCE = 1e-8
PARAMETER_TOLERANCE = 1e-9  # of a tensor's norm
TRAJECTORY = "training in float64"
# Ways to train with less memory: on how many devices, and whether activations are computed twice.
WAYS = {"": (1, False), ", activations computed twice": (1, True)}
DIVIDED = {", batch divided among two devices": (2, False), ", both": (2, True)}


def float64(array):
    """Inputs are float32 values, and were trained on in float64."""
    return torch.from_numpy(np.asarray(array).astype(np.float32)).double()


def batch(name, images_N3HW, masks_N1HW):
    return Batch((name,) * len(images_N3HW), float64(images_N3HW), float64(masks_N1HW))


@dataclass
class Trajectory:
    """A training from `parameter` weights, on the same batches in every epoch, and all that it reports."""

    course: Course
    state: TrainingState
    after_train: dict[str, torch.Tensor]
    steps: list[StepRecord] = field(default_factory=list)
    epochs: list[EpochRecord] = field(default_factory=list)

    def losses(self, epoch, *phases):
        return [step.values["loss"] for step in self.steps if step.epoch == epoch and step.phase in phases]

    @torch.no_grad()
    def output(self, images_N3HW):
        return self.state.network.eval()(images_N3HW).numpy()


def train(
    recipe: Recipe,
    training: Sequence[Batch],
    validation: Sequence[Batch],
    epochs: int,
    way: tuple[int, bool] = (1, False),
) -> Trajectory:
    network = build_network(recipe)
    for name, tensor in network.state_dict().items():
        tensor.copy_(torch.from_numpy(parameter(name, tuple(tensor.shape))))
    after_train: dict[str, torch.Tensor] = {}

    def validation_batches(first):
        after_train.update({name: tensor.clone() for name, tensor in network.state_dict().items()})
        return validation

    objective = parts.objective(recipe, FULL)
    course = Course(recipe, objective, recipe.training.epochs, lambda epoch, first: training, validation_batches)
    devices, checkpointing = way
    forward = arranged(network.double().train(), "exact", [torch.device("cpu")] * devices, checkpointing)
    trajectory = Trajectory(course, begin(course, network, forward), after_train)
    for _ in range(epochs):
        trajectory.epochs.append(run_epoch(course, trajectory.state, trajectory.steps.append))
    return trajectory


def parameters_close(recipe, what, found, expected):
    """Each tensor's norm, sum and first values, measured by its norm."""
    assert set(found) == set(expected)
    for name, tensor in found.items():
        values = tensor.numpy().astype(np.float64).ravel()
        total, squares, *first = expected[name]
        norm = np.sqrt(squares)
        # By Cauchy and Schwarz, deviations of one size add up to this much in a sum.
        per_value = np.sqrt(values.size)
        measures = [np.linalg.norm(values), values.sum() / per_value, *values[:4]]
        close(
            recipe, what, measures, [norm, total / per_value, *first], PARAMETER_TOLERANCE, norm, "of a tensor's norm"
        )


@pytest.mark.parametrize("way", WAYS | DIVIDED)
def test_ternausnet(golden, golden_json, RS, way):
    random = RS(5)

    def draw(name):
        return batch(name, random.randn(2, 3, 32, 64), random.rand(2, 1, 32, 64) > 0.5)

    training, validation = [draw(str(number)) for number in range(3)], [draw("validation")]
    trajectory = train(load_recipe("ternausnet"), training, validation, 2, (WAYS | DIVIDED)[way])
    expected = golden("ternausnet")
    losses = [loss for epoch in (0, 1) for loss in trajectory.losses(epoch, "train", "valid")]
    what = TRAJECTORY + way
    close("ternausnet", f"{what}: losses", losses, expected["train_losses"].ravel(), LOSS_TOLERANCE)
    state = trajectory.state.network.state_dict()
    parameters_close("ternausnet", f"{what}: parameters at the end", state, golden_json("train_ternausnet"))
    output = trajectory.output(validation[0].images_N3HW)
    close("ternausnet", f"{what}: output at the end", output, expected["train_final_out"], OUTPUT_TOLERANCE)


@pytest.mark.parametrize(
    ("model", "optimizer"), [("linknet34_f04a_clahe", "adam"), ("linknet34_f04a_clahe_rmsprop", "rmsprop")]
)
@pytest.mark.parametrize("way", WAYS)
def test_linknet34(golden, golden_json, RS, model, optimizer, way):
    random = RS(15)

    def draw(name):
        return batch(name, random.rand(4, 3, 64, 64), random.rand(4, 1, 64, 64) > 0.5)

    training, validation = [draw(str(number)) for number in range(12)], [draw("-1"), draw("-1")]
    trajectory = train(load_recipe(model), training, validation, 2, WAYS[way])
    expected = golden_json("train_linknet34")[optimizer]
    losses, numbers, trained = zip(*expected["order"], strict=True)
    steps, what = trajectory.steps, f"{TRAJECTORY} with {optimizer}{way}"
    equal("linknet34", f"{what}: order, replays included", [int(step.names[0]) for step in steps], numbers)
    equal("linknet34", f"{what}: trained or only judged", [step.phase != "valid" for step in steps], trained)
    close("linknet34", f"{what}: losses", [step.values["loss"] for step in steps], losses, LOSS_TOLERANCE)
    first, second = trajectory.epochs
    for found, key in ((first.train, "train"), (first.valid, "val"), (second.valid, "val2")):
        for name in ("loss", "soft dice", "hard dice", "bce"):
            value = found[name.replace(" ", "_")]
            close("linknet34", f"{what}: means over the epochs", value, expected[key][name], LOSS_TOLERANCE)
    state = trajectory.state.network.state_dict()
    parameters_close("linknet34", f"{what}: parameters at the end", state, expected["params"])
    output = trajectory.output(validation[0].images_N3HW)
    final = golden("linknet34")[f"train_{optimizer}_final_out"]
    close("linknet34", f"{what}: output at the end", output, final, OUTPUT_TOLERANCE)


@pytest.mark.parametrize("brightness", [1, 100])
def test_linknet34_gradient_clipping(RS, brightness):
    """Not from golden values, whose gradients are shorter than 1. PyTorch of 2017 multiplied longer ones by
    1 / (norm + 1e-6).
    """
    recipe, random = load_recipe("linknet34_fma_s44"), RS(0)
    objective = parts.objective(recipe, FULL)
    given = batch("0", brightness * random.rand(4, 3, 64, 64), random.rand(4, 1, 64, 64) > 0.5)
    convolution = torch.nn.Conv2d(3, 1, 1, bias=False).double()
    torch.nn.init.constant_(convolution.weight, 0.1)
    loss = objective.terms(convolution(given.images_N3HW), given.masks_N1HW)["loss"]
    (gradient,) = torch.autograd.grad(loss, convolution.weight)
    norm = gradient.norm().item()
    assert (norm > 1) == (brightness > 1)
    state = TrainingState(convolution, convolution, parts.optimizer(recipe, "adam", convolution))
    seen: list[torch.Tensor] = []
    state.optimizer.register_step_pre_hook(
        lambda optimizer, *_: seen.append(optimizer.param_groups[0]["params"][0].grad.clone())
    )
    train_epoch(recipe, objective, state, [given], lambda step: None)
    expected = gradient * min(1, 1 / (norm + 1e-6))
    close("linknet34", "gradient clipping", torch.stack(seen), expected[None], 1e-12)


@pytest.mark.parametrize("model", ["unet_scratch", "unet_vgg11"])
def test_unets(golden, golden_json, RS, model):
    random = RS(25)

    def draw(number):
        image = random.rand(1, 3, 128, 128)
        centre = 0.3 + 0.4 * random.rand(), 0.3 + 0.4 * random.rand()
        return batch(str(number), image, ellipse_mask(128, 128, *centre)[None, None])

    training = [draw(number) for number in range(9)]
    masks = np.stack([ellipse_mask(160, 190)[None]] * 2)
    validation = [batch("validation", random.rand(2, 3, 128, 128), masks)]
    recipe = load_recipe(model)
    trajectory = train(recipe, training, validation, epochs=1)
    expected = golden_json("train_asanakoy")[model]
    found = [
        [step.values[name] for name in ("loss", "bce", "dice_loss")]
        for step in trajectory.steps
        if step.phase == "train"
    ]
    close(model, f"{TRAJECTORY}: losses and their terms", found, expected["losses"], LOSS_TOLERANCE)
    parameters_close(model, f"{TRAJECTORY}: parameters after training", trajectory.after_train, expected["after_train"])
    dice = trajectory.epochs[0].valid["dice"]
    close(model, "validation dice, training mode", dice, expected["val_dice_batch_stats"], LOSS_TOLERANCE)
    running = recipe.validation.model_copy(update={"batch_norm": "running"})
    state = trajectory.state
    in_evaluation_mode = validate(running, trajectory.course.objective, state, validation, trajectory.steps.append)
    dice = in_evaluation_mode["dice"]
    close(model, "validation dice, evaluation mode", dice, expected["val_dice_eval"], LOSS_TOLERANCE)
    what = f"{TRAJECTORY}: parameters after validation"
    parameters_close(model, what, state.network.state_dict(), expected["after_validate"])
    output = trajectory.output(validation[0].images_N3HW)
    final = golden("asanakoy")[f"{model}_train_final_out"]
    close(model, f"{TRAJECTORY}: output at the end", output, final, OUTPUT_TOLERANCE)
