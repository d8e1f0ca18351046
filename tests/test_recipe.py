import pytest

from carvana.recipe_files import load_recipe, model_names


def test_a_short_run_passes_every_milestone():
    recipe = load_recipe("linknet34_fma_s44")
    assert [recipe.epoch_of(i, 40) for i in range(40)] == list(range(40))
    assert [recipe.epoch_of(i, 4) for i in range(4)] == [0, 10, 20, 30]
    ternausnet = load_recipe("ternausnet")
    assert [ternausnet.epoch_of(i, 52) for i in range(52)] == list(range(1, 53))


@pytest.mark.parametrize("model", model_names())
def test_a_small_run_steps_more_often(model):
    authors = load_recipe(model).training
    assert authors.images_per_step == 4
    for images in (1, 2):
        assert load_recipe(model).with_images_per_step(images).training.images_per_step == images
    assert load_recipe(model).with_images_per_step(4).training == authors


def test_where_gradients_of_single_images_are_summed_they_stay_single():
    training = load_recipe("unet_vgg11").with_images_per_step(2).training
    assert (training.batch_size, training.accumulate) == (1, 2)
