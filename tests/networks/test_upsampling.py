import pytest
import torch

from carvana.computing.runtime import configure
from carvana.networks.upsampling import as_on_gpu, upsampled
from tests.operations import Operations


@pytest.fixture(autouse=True)
def deterministic():
    configure(1, "exact")


def test_corners_are_aligned():
    x_NCHW = torch.rand(2, 3, 5, 7)
    found = upsampled(x_NCHW, (9, 19))
    torch.testing.assert_close(found[..., ::2, ::3], x_NCHW)
    torch.testing.assert_close(found[..., 1, 0], x_NCHW[..., :2, 0].mean(-1))


@pytest.mark.parametrize("size", [(10, 14), (9, 20), (5, 7)])
def test_the_same_pixels_with_and_without_a_gradient_and_as_on_a_gpu(size):
    x_NCHW = torch.rand(2, 3, 5, 7)
    found = upsampled(x_NCHW, size)
    with torch.no_grad():
        assert torch.equal(upsampled(x_NCHW, size), found)
    with as_on_gpu():
        assert torch.equal(upsampled(x_NCHW, size), found)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("before", "after"), [((5, 7), (10, 14)), ((16, 1), (32, 2)), ((5, 7), (9, 20))])
def test_the_gradient_as_on_a_gpu(before, after, dtype):
    x_NCHW = torch.rand(2, 3, *before, dtype=dtype, requires_grad=True)
    direction = torch.rand(2, 3, *after, dtype=dtype)
    upsampled(x_NCHW, after).backward(direction)
    usual, x_NCHW.grad = x_NCHW.grad, None
    with as_on_gpu():
        upsampled(x_NCHW, after).backward(direction)
    rounding = {torch.float64: 1e-14, torch.float32: 1e-6, torch.bfloat16: 2**-6}[dtype]
    torch.testing.assert_close(x_NCHW.grad, usual, rtol=rounding, atol=rounding)


def test_few_operations_where_pytorch_would_take_many():
    x_NCHW = torch.rand(1, 2, 5, 6, device="meta", requires_grad=True)
    with Operations() as forward:
        found = upsampled(x_NCHW, (10, 12))
    assert forward.names == ["aten.upsample_bilinear2d.default"]
    with Operations() as backward:
        found.sum().backward()
    assert sum("mm" in name for name in backward.names) == 2
    assert not any("index" in name for name in backward.names)
    with torch.inference_mode(), Operations() as without:
        upsampled(x_NCHW, (10, 12))
    assert without.names == ["aten.upsample_bilinear2d.default"]
