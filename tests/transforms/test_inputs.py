import numpy as np
import torch

from carvana.transforms.inputs import network_input, target

MEAN, DEVIATION = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)


def test_network_input_is_exact_for_every_level():
    levels_HWC = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    plain_HWC = levels_HWC.astype(np.float32) / np.float32(255)
    for normalised, expected_HWC in ((False, plain_HWC), (True, (plain_HWC - MEAN) / DEVIATION)):
        x_NCHW = network_input(torch.from_numpy(np.stack([levels_HWC, levels_HWC[::-1]])), normalised)
        assert x_NCHW.dtype == torch.float32 and x_NCHW.is_contiguous()
        np.testing.assert_array_equal(x_NCHW[0].numpy(), expected_HWC.transpose(2, 0, 1))
        np.testing.assert_array_equal(x_NCHW[1].numpy(), expected_HWC[::-1].transpose(2, 0, 1))


def test_channels_keep_their_places():
    image_HWC = np.array([[[10, 20, 30], [40, 50, 60]]], np.uint8)
    x_NCHW = network_input(torch.from_numpy(image_HWC)[None], normalised=False)
    np.testing.assert_allclose(x_NCHW[0, :, 0].numpy() * 255, [[10, 40], [20, 50], [30, 60]], rtol=1e-6)


def test_target_is_exact_for_every_level():
    levels_HW = np.arange(256, dtype=np.uint8).reshape(16, 16)
    found = target(torch.from_numpy(levels_HW)[None])
    assert found.shape == (1, 1, 16, 16) and found.dtype == torch.float32
    np.testing.assert_array_equal(found[0, 0].numpy(), levels_HW.astype(np.float32) / np.float32(255))
