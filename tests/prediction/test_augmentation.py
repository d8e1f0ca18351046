import torch

from carvana.prediction.augmentation import mirror_mean


def test_the_mirror_is_mirrored_back_before_the_mean():
    images = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(mirror_mean(lambda x: x[:, :1], images), images[:, :1])


def test_the_mean_is_that_of_both_outputs():
    images = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    ramp = torch.arange(5.0)
    mean = mirror_mean(lambda x: x[:, :1] * ramp, images)
    torch.testing.assert_close(mean, images[:, :1] * (ramp + ramp.flip(0)) / 2)
