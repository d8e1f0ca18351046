from tests.planning.plans import plan


def test_shards_are_named_by_number_and_count():
    run = plan(shards=2)
    assert run.test_parts == ("test-01-of-02", "test-02-of-02")
    assert run.maps.sums("unet_vgg11", "test-01-of-02") == "results/full/predictions/unet_vgg11/test-01-of-02.h5"
    assert run.maps.sums("unet_vgg11", "train") == "results/full/oof/unet_vgg11/maps.h5"


def test_a_members_submission_holds_his_recipes_masks():
    masks_of = plan(shards=1).maps.masks_of
    assert masks_of("albu") == ["results/full/masks/linknet34/test-01-of-01.csv"]
    assert masks_of("linknet34_fma_s44") == ["results/full/masks/linknet34_fma_s44/test-01-of-01.csv"]
