import pytest
import torch

from carvana.computing.precision import PRECISIONS
from carvana.computing.runtime import configure


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_gpu_rounds_to_tf32_only_where_asked_to(precision):
    """PyTorch's own default lets cuDNN do it in every convolution."""
    threads = torch.get_num_threads()
    try:
        configure(threads, precision)
        assert torch.backends.cudnn.allow_tf32 is (precision == "tf32")
        assert torch.backends.cuda.matmul.allow_tf32 is (precision == "tf32")
    finally:
        configure(threads, "exact")
        torch.use_deterministic_algorithms(mode=False)


@pytest.mark.parametrize("autotune", [True, False])
def test_deterministic_algorithms_and_autotuning_exclude_each_other(autotune):
    threads = torch.get_num_threads()
    try:
        configure(threads, "exact", autotune)
        assert torch.are_deterministic_algorithms_enabled() is not autotune
        assert torch.backends.cudnn.benchmark is autotune
    finally:
        configure(threads, "exact")
        torch.use_deterministic_algorithms(mode=False)
