"""Prepared pixels as a network and its loss get them, one image at a time."""

import torch

from carvana.transforms.inputs import network_input, target


def image_floats(transforms, image_HWC):
    """(3, H, W) float32."""
    return network_input(torch.from_numpy(image_HWC)[None], transforms.normalised)[0].numpy()


def sample_floats(transforms, sample):
    """Image (3, H, W) and mask (1, H, W), float32."""
    image_HWC, mask_HW = sample
    return image_floats(transforms, image_HWC), target(torch.from_numpy(mask_HW)[None])[0].numpy()
