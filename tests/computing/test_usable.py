"""What is said of GPUs that PyTorch cannot compute on; theirs are the only values that are made up here."""

import pytest
import torch

from carvana.computing import usable
from carvana.computing.usable import free_gpu_or_cpu, require_usable, unusable
from carvana.errors import UserError

CPU, TWO = torch.device("cpu"), [torch.device("cuda", number) for number in (0, 1)]


@pytest.fixture
def cards(monkeypatch):
    """Sets the machine's cards, by compute capability; PyTorch is built for CUDA, from 7.5 on."""

    def set_to(*capabilities):
        monkeypatch.setattr(torch.version, "cuda", "13.0")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(capabilities))
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"card {device.index or 0}")
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capabilities[device.index or 0])
        monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_80", "sm_90a", "compute_120"])

    return set_to


def test_of_a_cpu_nothing_is_asked(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("asked"))
    assert unusable([CPU], "bf16") is None


@pytest.mark.parametrize("precision", ["exact", "tf32", "bf16"])
def test_newer_cards_are_usable(cards, precision):
    cards((8, 0), (12, 0))
    require_usable(TWO, precision)


def test_a_card_that_pytorch_has_no_code_for_is_named(cards):
    cards((9, 0), (7, 0))
    with pytest.raises(UserError, match=r"card 1 has .* 7\.0, .* wants 7\.5 or above; leave it out of CUDA_VISIBLE"):
        require_usable(TWO, "exact")


def test_bfloat16_wants_a_card_with_units_for_it(cards):
    cards((8, 0), (7, 5))
    require_usable(TWO, "exact")
    with pytest.raises(UserError, match=r"card 1 .* 7\.5, and bf16 wants 8\.0 or above; set `precision: exact`"):
        require_usable(TWO, "bf16")


def test_a_driver_that_is_too_old_is_told(cards):
    cards()
    with pytest.raises(UserError, match=r"built for CUDA 13\.0, cannot use .* update its driver, or, to use the CPU"):
        require_usable(TWO, "exact")


def test_a_build_for_the_cpu_is_told(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(UserError, match=r"is a build for the CPU; delete \.venv, and `make env`"):
        require_usable(TWO, "exact")


def test_who_can_do_without_an_unusable_gpu_does(cards, monkeypatch, capsys):
    monkeypatch.setattr(usable, "lease_one_if_free", lambda: "cuda")
    cards((7, 5))
    assert free_gpu_or_cpu("exact").type == "cuda"
    assert free_gpu_or_cpu("bf16") == CPU
    assert "using the CPU: card 0 has compute capability 7.5" in capsys.readouterr().err
    monkeypatch.setattr(usable, "lease_one_if_free", lambda: "cpu")
    assert free_gpu_or_cpu("exact") == CPU
    assert capsys.readouterr().err == ""
