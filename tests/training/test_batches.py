import numpy as np
import pytest
import torch

from carvana.data.imageset import ImageSet
from carvana.geometry import SMALL
from carvana.recipe_files import load_recipe
from carvana.training.batches import Uint8Batch
from carvana.training.draws import Draws
from carvana.training.loading import Loading, Sample
from carvana.training.orders import EpochOrder, SampleKey
from carvana.training.pixels import CachedMasks, CachedPixels
from carvana.training.prepared import DiskCache, Preparing, cached_if_resized
from carvana.training.split import split
from carvana.transforms.protocol import build_transforms

CPU = torch.device("cpu")
EPOCHS = 3


def loading(model, manifest, folds, workers=0, seed=0, kept=None, recipe=None, folder=None):
    recipe = recipe or load_recipe(model)
    images, transforms = ImageSet(manifest), build_transforms(recipe, SMALL)
    pixels = kept(images) if kept else images
    source = Preparing(pixels, transforms)
    prepared = cached_if_resized(source, manifest.names, folder) if folder else source
    assert isinstance(prepared, DiskCache) == (folder is not None)
    return Loading(
        recipe=recipe,
        split=split(manifest, folds, 0),
        pixels=pixels,
        prepared=prepared,
        transforms=transforms,
        draws=Draws(seed, recipe.seed, model, 0),
        epochs=EPOCHS,
        device=CPU,
        workers=workers,
    )


def together(samples):
    names, images_HWC, masks_HW = zip(*samples, strict=True)
    return Uint8Batch(names, torch.from_numpy(np.stack(images_HWC)), torch.from_numpy(np.stack(masks_HW)))


def assert_equal(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.names == other.names
        assert torch.equal(one.images_N3HW, other.images_N3HW)
        assert torch.equal(one.masks_N1HW, other.masks_N1HW)


@pytest.mark.parametrize("model", ["ternausnet", "linknet34_f04a_clahe", "unet_vgg11"])
def test_batches_are_the_same_for_any_number_of_workers(model, manifest, folds):
    alone = loading(model, manifest, folds)
    for workers in (1, 2):
        helped = loading(model, manifest, folds, workers)
        # Out of order, as if a run went on from epoch 1 and another began again.
        for epoch in (1, 0):
            assert_equal(list(helped.training_batches(epoch)), list(alone.training_batches(epoch)))
        assert_equal(list(helped.validation_batches()), list(alone.validation_batches()))


def test_a_small_run_has_other_batches_of_the_same_images(manifest, folds):
    authors = loading("ternausnet", manifest, folds)
    small = loading("ternausnet", manifest, folds, recipe=load_recipe("ternausnet").with_images_per_step(1))
    one, other = ([name for batch in found.training_batches(0) for name in batch.names] for found in (authors, small))
    assert one == other
    assert {len(batch.names) for batch in small.training_batches(0)} == {1}
    assert_equal(list(small.validation_batches()), list(authors.validation_batches()))


def test_epochs_and_seeds_differ(manifest, folds):
    def images(epoch, seed):
        batches = loading("ternausnet", manifest, folds, seed=seed).training_batches(epoch)
        return torch.cat([batch.images_N3HW for batch in batches])

    first = images(0, 0)
    assert torch.equal(images(0, 0), first)
    assert not torch.equal(images(1, 0), first)
    assert not torch.equal(images(0, 1), first)


def test_every_sample_has_draws_of_its_own_for_the_authors_epoch(manifest, folds):
    """A generator per sample, by epoch and index; by config/recipes/unet_vgg11.yaml other changes from epoch 15 on."""
    recipe = load_recipe("unet_vgg11")
    images, transforms = ImageSet(manifest), build_transforms(recipe, SMALL)
    draws = Draws(0, recipe.seed, "unet_vgg11", 0)
    loaded = loading("unet_vgg11", manifest, folds)
    # Three epochs stand for these of the author's 60: one of aug=1 and two of aug=0.
    for epoch, authors_epoch in enumerate((0, 20, 40)):
        batches = list(loaded.training_batches(epoch))
        expected = []
        for number, batch in enumerate(batches):
            (name,) = batch.names
            draw = transforms.sample(draws.generator("sample", epoch, number), authors_epoch)
            sample = Sample(name, *transforms.train(transforms.prepare(images.image(name), images.mask(name)), draw))
            expected.append(together([sample]).on(CPU, transforms.normalised))
        assert len(expected) == 6
        assert_equal(batches, expected)


@pytest.mark.parametrize(
    ("model", "normalised"),
    [("ternausnet", True), ("linknet34_f04a_clahe", False), ("unet_scratch", False), ("unet_vgg11", True)],
)
def test_validation_batches_are_not_augmented_and_normalised_as_the_author_did(manifest, folds, model, normalised):
    recipe = load_recipe(model)
    images, transforms = ImageSet(manifest), build_transforms(recipe, SMALL)
    found = list(loading(model, manifest, folds).validation_batches())
    assert sum(len(batch.names) for batch in found) == 6
    for batch in found:
        samples = []
        for name in batch.names:
            mask_HW = images.mask(name)
            prepared_HW4 = transforms.prepare(images.image(name), mask_HW)
            samples.append(Sample(name, *transforms.valid(prepared_HW4, mask_HW)))
        assert_equal([batch], [together(samples).on(CPU, normalised)])


@pytest.mark.parametrize("kept", [CachedPixels, CachedMasks])
def test_pixels_kept_in_memory_are_those_of_the_disk(manifest, folds, kept):
    kept, read = (loading("unet_vgg11", manifest, folds, kept=kept) for kept in (kept, None))
    for epoch in (0, 1):
        assert_equal(list(kept.training_batches(epoch)), list(read.training_batches(epoch)))


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_of_images_that_are_kept_on_disk_are_the_same(manifest, folds, tmp_path, workers):
    kept = loading("unet_vgg11", manifest, folds, workers, folder=tmp_path)
    read = loading("unet_vgg11", manifest, folds)
    for epoch in (0, 1, 2):
        assert_equal(list(kept.training_batches(epoch)), list(read.training_batches(epoch)))
        assert_equal(list(kept.validation_batches()), list(read.validation_batches()))


def test_validation_batches_are_in_the_names_order(manifest, folds):
    names = [name for batch in loading("ternausnet", manifest, folds).validation_batches() for name in batch.names]
    assert names == list(split(manifest, folds, 0).validation)


def test_an_incomplete_last_batch(manifest, folds):
    """Six training images in batches of 4: ternausnet trains on the last two, linknet34 drops them."""
    whole, dropping = (loading(model, manifest, folds) for model in ("ternausnet", "linknet34_fma_s44"))
    assert [len(batch.names) for batch in whole.training_batches(0)] == [4, 2]
    assert [len(batch.names) for batch in dropping.training_batches(0)] == [4]
    assert (whole.training_images, dropping.training_images) == (6, 4)
    assert dropping.validation_images == 6


def test_an_epoch_goes_through_every_image_once():
    names = [str(number) for number in range(10)]
    order = EpochOrder(names, Draws(0, None, "ternausnet", 0), batch_size=3, drop_last=False)
    order.epoch = 2
    keys = [key for batch in order for key in batch]
    assert sorted(key.name for key in keys) == names
    assert keys == [SampleKey(2, number, key.name) for number, key in enumerate(keys)]
    order.epoch = 3
    assert [key.name for batch in order for key in batch] != [key.name for key in keys]


def test_validation_masks_of_the_unets_keep_the_images_size(manifest, folds):
    batch = next(iter(loading("unet_scratch", manifest, folds).validation_batches()))
    assert batch.images_N3HW.shape == (2, 3, *SMALL.unet_size)
    assert batch.masks_N1HW.shape == (2, 1, *SMALL.image_size)
