import re

import pytest
import torch
import yaml

from carvana.errors import UserError
from carvana.geometry import FULL, SMALL, Geometry
from carvana.networks.building import build_network
from carvana.networks.initialisation import initialise
from carvana.networks.upsampling import as_on_gpu
from carvana.recipe_files import load_recipe
from carvana.revision import ROOT
from carvana.training import memory, memory_count, parts
from carvana.training.memory import GIB, Room, enough_memory, require_memory, told_of_full_memory
from carvana.training.memory_count import Arrangement, LiveBytes
from carvana.training.slices import arranged
from carvana.training.validation import judged
from tests.pages import PAGES

LINKNET = "linknet34_fma_s44"
CPU = torch.device("cpu")


counts: dict[tuple[str, Geometry, Arrangement], int] = {}


def bytes_needed(recipe, geometry, arrangement):
    """Each count takes seconds, and these tests need the same ones again and again."""
    key = recipe.model_dump_json(), geometry, arrangement
    if key not in counts:
        counts[key] = memory_count.bytes_needed(recipe, geometry, arrangement)
    return counts[key]


@pytest.fixture(autouse=True)
def counted_once(monkeypatch):
    monkeypatch.setattr(memory, "bytes_needed", bytes_needed)


def test_live_bytes_of_a_chain_known_by_hand():
    x = torch.ones(1000)
    with LiveBytes() as live:
        y = x + 1  # 4,000 bytes
        z = y.view(10, 100) * 2  # a view is no new memory
        assert live.now == 8000
        del y
        assert live.now == 4000
        (z + 1) + 1
    assert (live.now, live.peak) == (4000, 12000)


@pytest.mark.slow
@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("model", ["ternausnet", LINKNET, "unet_vgg11"])
def test_what_is_counted_is_what_real_steps_and_validations_hold(model, checkpointing):
    recipe = load_recipe(model)
    size = SMALL.network_size(recipe.input.size)
    images = recipe.training.batch_size
    with LiveBytes() as live, as_on_gpu():
        network = build_network(recipe)
        initialise(network, recipe.network.encoder, torch.Generator().manual_seed(1))
        optimizer = parts.optimizer(recipe, recipe.optimizer.name, network)
        objective = parts.objective(recipe, SMALL)
        forward = arranged(network.train(), "exact", [CPU], checkpointing)
        images_N3HW, masks_N1HW = torch.rand(images, 3, *size), torch.ones(images, 1, *size)
        for _ in range(2):
            objective.terms(forward(images_N3HW), masks_N1HW)["loss"].backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        del images_N3HW, masks_N1HW
        judged_at = SMALL.image_size if recipe.validation.masks_at == "image" else size
        with torch.no_grad():
            network.train(recipe.validation.batch_norm == "batch")
            images_N3HW = torch.rand(recipe.validation.batch_size, 3, *size)
            judged(forward(images_N3HW), torch.ones(len(images_N3HW), 1, *judged_at), recipe.validation, objective)
    counted = bytes_needed(recipe, SMALL, Arrangement("exact", 1, checkpointing))
    assert counted == pytest.approx(live.peak, rel=0.01)


def test_ternausnet_keeps_what_its_layers_say():
    """The published batch: 4 images of 1280x1920, and of each level what gradients need, 4 bytes a value."""
    pixels = 4 * 1280 * 1920
    level1 = pixels * 64
    concatenated, convolved = pixels * (32 + 64), pixels * 32
    assert bytes_needed(load_recipe("ternausnet"), FULL, Arrangement("exact")) > 4 * (
        level1 + concatenated + convolved + concatenated  # the last is the concatenation's gradient
    )


def test_validating_holds_no_more_than_training_where_memory_is_saved():
    """One image after the other there, too: all four of TernausNet's at once would take 12 GiB."""
    recipe = load_recipe("ternausnet")
    ternausnet = Arrangement("exact", activation_checkpointing=True)
    larger = recipe.model_copy(update={"validation": recipe.validation.model_copy(update={"batch_size": 5})})
    assert recipe.validation.batch_size == 4
    of_image = 4 * 4 * 1280 * 1920
    assert bytes_needed(larger, FULL, ternausnet) - bytes_needed(recipe, FULL, ternausnet) < of_image


def test_settings_that_save_memory():
    ternausnet, linknet = load_recipe("ternausnet"), load_recipe(LINKNET)
    plain, twice, two = (Arrangement("exact", *way) for way in ((1, False), (1, True), (2, False)))
    needed = {one: bytes_needed(ternausnet, FULL, one) / GIB for one in (plain, twice, two)}
    assert needed[plain] > 24 > 15 > needed[two] > 11 > needed[twice]
    assert bytes_needed(linknet, FULL, plain) / GIB > 12 > 7 > bytes_needed(linknet, FULL, twice) / GIB


@pytest.mark.parametrize(
    ("model", "free", "told"),
    [
        (
            "ternausnet",
            23,
            "activation_checkpointing: {ternausnet: true} (6.7 GiB), or gpus_per_training: {ternausnet: 2}",
        ),
        ("ternausnet", 5, "activation_checkpointing: {ternausnet: true} and precision: bf16 (3.9 GiB)"),
        ("ternausnet", 2, "no other setting would help: use a larger GPU"),
        (LINKNET, 11, "activation_checkpointing: {linknet34: true} (6.5 GiB), or precision: bf16"),
        ("unet_scratch", 2, "no other setting would help"),
    ],
)
def test_too_little_memory_is_told_with_what_would_fit(model, free, told):
    with pytest.raises(UserError) as error:
        require_memory(load_recipe(model), FULL, Arrangement("exact"), Room(free * GIB, bf16=True))
    assert f"and {free:.1f} GiB are free" in str(error.value)
    assert told in str(error.value)


def test_enough_memory_is_no_matter():
    require_memory(load_recipe(LINKNET), SMALL, Arrangement("exact"), Room(GIB, bf16=True))


def test_bfloat16_is_no_advice_for_a_gpu_without():
    with pytest.raises(UserError) as error:
        require_memory(load_recipe(LINKNET), FULL, Arrangement("exact"), Room(11 * GIB, bf16=False))
    assert str(error.value).endswith("in the configuration: activation_checkpointing: {linknet34: true} (6.5 GiB)")


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
        RuntimeError("GET was unable to find an engine to execute this computation"),
    ],
)
def test_a_gpu_that_is_full_all_the_same_is_told_with_what_needs_less(error):
    # 30 GiB would hold what was counted: only settings that hold less are named.
    with (
        pytest.raises(UserError, match=r"(?s)memory is full.*activation_checkpointing: .*last saved state"),
        told_of_full_memory(load_recipe("ternausnet"), FULL, Arrangement("exact"), Room(30 * GIB, bf16=True)),
    ):
        raise error
    # Nothing holds less than all of them together.
    least = Arrangement("bf16", 4, True)
    with (
        pytest.raises(UserError, match="use a larger GPU"),
        told_of_full_memory(load_recipe("ternausnet"), FULL, least, Room(30 * GIB, bf16=True)),
    ):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")


def test_another_error_stays_what_it_is():
    with (
        pytest.raises(RuntimeError, match="index out of range"),
        told_of_full_memory(load_recipe("ternausnet"), FULL, Arrangement("exact"), Room(30 * GIB, bf16=True)),
    ):
        raise RuntimeError("index out of range")


def test_the_gpu_with_the_least_free_memory_decides(monkeypatch):
    free = {0: 30 * GIB, 1: 5 * GIB}
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free[device.index], 80 * GIB))
    ternausnet, two = load_recipe("ternausnet"), [torch.device("cuda", number) for number in free]
    with (
        pytest.raises(UserError, match=r"5\.0 GiB are free"),
        enough_memory(ternausnet, FULL, Arrangement("exact", 2), two),
    ):
        pytest.fail("went on")
    free[1] = 20 * GIB
    with (
        pytest.raises(UserError, match=r"memory is full .* of which 20\.0 GiB were free"),
        enough_memory(ternausnet, FULL, Arrangement("exact", 2), two),
    ):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")


def test_nothing_is_asked_of_a_cpus_memory(monkeypatch):
    monkeypatch.setattr(memory, "bytes_needed", lambda *_: pytest.fail("counted"))
    with enough_memory(load_recipe("ternausnet"), FULL, Arrangement("exact"), [CPU]):
        pass


COLUMNS = (
    Arrangement("exact"),
    Arrangement("exact", activation_checkpointing=True),
    Arrangement("bf16"),
    Arrangement("bf16", activation_checkpointing=True),
    Arrangement("exact", gpus=2),
    Arrangement("exact", gpus=4),
)


@pytest.mark.parametrize("model", ["ternausnet", "linknet34_f04a_clahe", "unet_scratch", "unet_vgg11"])
def test_the_readmes_table(model):
    recipe = load_recipe(model)
    (row,) = re.findall(rf"^\| `{recipe.recipe}` \|(.*)\|$", PAGES["README.md"], re.MULTILINE)
    for told, column in zip(row.split("|"), COLUMNS, strict=True):
        checkpointed = not column.activation_checkpointing or recipe.recipe in memory.CHECKPOINTED
        divided = column.gpus == 1 or recipe.recipe in memory.DIVIDED
        counted = f"{bytes_needed(recipe, FULL, column) / GIB:.1f}" if checkpointed and divided else ""
        assert told.strip() == counted


def test_the_configuration_has_the_settings_that_are_advised():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    assert tuple(config["activation_checkpointing"]) == memory.CHECKPOINTED
    assert tuple(config["gpus_per_training"]) == memory.DIVIDED
