"""One optimisation step of a model at the competition's size on the CPU: seconds, peak memory, loss before and after.

    python benchmarks/full_size_step.py --data <folder in Kaggle's layout> --model linknet34_fma_s44 --batch 1

Images go through the whole training transform, and the step is the training loop's own, from random weights.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import torch

from carvana.data.images import read_image
from carvana.data.masks import read_mask
from carvana.errors import UserError, main_guard
from carvana.geometry import FULL
from carvana.recipe import Recipe, load_recipe, model_names
from carvana.training import parts
from carvana.training.batches import Batch, Sample, collate
from carvana.training.draws import Draws
from carvana.training.loop import train_epoch
from carvana.training.run import initial_network
from carvana.training.state import TrainingState
from carvana.transforms.protocol import build_transforms


def training_batch(recipe: Recipe, images: list[Path], masks: Path, draws: Draws) -> Batch:
    transforms = build_transforms(recipe, FULL)
    samples = []
    for number, path in enumerate(images):
        draw = transforms.sample(draws.generator("sample", 0, number), recipe.training.first_epoch)
        mask_HW = read_mask(masks / f"{path.stem}_mask.gif")
        samples.append(Sample(path.name, *transforms.train(transforms.prepare(read_image(path), mask_HW), draw)))
    return collate(samples).on(torch.device("cpu"), transforms.normalised)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="has train_hq/ and train_masks/")
    parser.add_argument("--model", choices=model_names(), required=True)
    parser.add_argument("--batch", type=int, required=True, help="number of images")
    arguments = parser.parse_args()
    images = sorted((arguments.data / "train_hq").glob("*.jpg"))[: arguments.batch]
    if len(images) < arguments.batch:
        raise UserError(f"{arguments.data}/train_hq has {len(images)} images (*.jpg), {arguments.batch} are wanted")
    recipe = load_recipe(arguments.model)
    draws = Draws(seed=0, recipe_seed=recipe.seed, model=recipe.model, fold=0)

    start = time.perf_counter()
    batch = training_batch(recipe, images, arguments.data / "train_masks", draws)
    print(f"{recipe.model}: input {tuple(batch.images_N3HW.shape)}, transforms {time.perf_counter() - start:.1f} s")

    network = initial_network(recipe, draws, encoder_weights=None)
    objective = parts.objective(recipe, FULL)
    # Without hard negatives, whose first replay would be a second step.
    state = TrainingState(network, parts.optimizer(recipe, recipe.optimizer.name, network))
    start = time.perf_counter()
    before = train_epoch(recipe, objective, state, [batch], lambda step: None)["loss"]
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    with torch.no_grad():
        after = objective.terms(network(batch.images_N3HW), batch.masks_N1HW)["loss"].item()
    print(f"step {seconds:.1f} s on {torch.get_num_threads()} threads, peak memory {peak:.1f} GiB")
    print(f"loss {before:.4f} before, {after:.4f} after")


if __name__ == "__main__":
    main_guard(main)
