import pytest
import torch

from carvana.networks.upsampling import upsampled
from carvana.runtime import configure
from tests.operations import Operations


@pytest.mark.parametrize("size", [(10, 14), (9, 20), (3, 3)])
def test_corners_are_aligned_with_and_without_a_gradient(size):
    x_NCHW = torch.rand(2, 3, 5, 7)
    found = upsampled(x_NCHW, size)
    assert torch.equal(found[..., :: size[0] - 1, :: size[1] - 1], x_NCHW[..., ::4, ::6])
    with torch.no_grad():
        assert torch.equal(upsampled(x_NCHW, size), found)


def test_the_deterministic_way_of_other_devices_is_taken_for_gradients_only():
    configure(1, "exact")
    x_NCHW = torch.rand(1, 2, 5, 6, device="meta")
    with Operations() as with_gradient:
        upsampled(x_NCHW, (10, 12))
    assert len(with_gradient.names) > 10
    with torch.inference_mode(), Operations() as without:
        upsampled(x_NCHW, (10, 12))
    assert without.names == ["aten.upsample_bilinear2d.default"]
