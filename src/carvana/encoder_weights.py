"""ImageNet weights of the encoders: torchvision's published files, verified and put into our networks."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from carvana import fetching
from carvana.errors import UserError
from carvana.files import sha256_of
from carvana.networks.initialisation import ENCODER_PREFIXES
from carvana.recipe import Encoder

# torchvision's names -> ours; other entries of the files (the classifiers) are not used.
RENAMED: Final[dict[Encoder, tuple[tuple[str, str], ...]]] = {
    "vgg11": ((r"features\.", "encoder."),),
    "resnet34": ((r"conv1\.", "firstconv."), (r"bn1\.", "firstbn."), (r"layer(\d)\.", r"encoder\1.")),
}


def stated_digest(name: str) -> str:
    """The beginning of the SHA-256 that a published file's name carries. Raises UserError if it carries none."""
    stated = re.search(r"-([0-9a-f]{8,64})\.pth$", name)
    if stated is None:
        raise UserError(
            f"{name} does not carry the beginning of a SHA-256; torchvision's published names do (vgg11-bbd30ac9.pth)"
        )
    return stated[1]


def verify(path: Path) -> str:
    """The file's SHA-256, which must begin as its name says.

    Raises:
        UserError: it does not, the name says nothing, or there is no file.
    """
    stated = stated_digest(path.name)
    if not path.is_file():
        raise UserError(f"{path} is not there; put torchvision's published {path.name} there")
    digest = sha256_of(path)
    if not digest.startswith(stated):
        raise UserError(
            f"{path} is not the published {path.name}: its SHA-256 begins {digest[:8]}; remove it and try again"
        )
    return digest


def fetch(url: str, path: Path, pause_seconds: float = 5.0) -> str:
    """Download `url` to `path` and verify it; whole or not at all.

    Args:
        url: of a published file.
        path: where it goes, under its published name; a file that is there already is verified and kept.
        pause_seconds: before the second attempt; doubled before each further one.

    Returns:
        The file's SHA-256.

    Raises:
        UserError: the server refuses, cannot be reached, or sends something else.
    """
    if path.exists():
        return verify(path)
    stated = stated_digest(path.name)

    def problem_of(arrived: Path) -> str | None:
        digest = sha256_of(arrived)
        return None if digest.startswith(stated) else f"its SHA-256 begins {digest[:8]}"

    remedy = "get the file elsewhere and set encoder_weights to {source: folder, folder: <where it lies>}"
    fetching.fetch(url, path, problem_of, remedy, pause_seconds)
    return verify(path)


def encoder_state(encoder: Encoder, path: Path) -> dict[str, Tensor]:
    """The encoder's tensors under our networks' names, from a published file.

    Raises:
        UserError: the file cannot be read, or holds nothing of such an encoder.
    """
    try:
        published = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise UserError(f"{path} cannot be read as PyTorch weights: {error}") from None
    state: dict[str, Tensor] = {}
    for name, tensor in published.items():
        for pattern, ours in RENAMED[encoder]:
            if re.match(pattern, name):
                state[re.sub(rf"^{pattern}", ours, name)] = tensor.detach()
    if not state:
        raise UserError(f"{path} does not hold a {encoder}: no tensor has a name of its layers")
    return state


def load_encoder(network: nn.Module, encoder: Encoder, path: Path) -> None:
    """Replace the weights of the network's encoder by those of a published file, strictly.

    Args:
        network: built on this encoder.
        encoder: which.
        path: a verified file.

    Raises:
        UserError: the file cannot be read, or its names or shapes are not the encoder's.
    """
    given = encoder_state(encoder, path)
    own = network.state_dict()
    wanted = {name for name in own if name.startswith(ENCODER_PREFIXES[encoder])}
    # The files of 2017 are older than batch norm's counter, which nothing here depends on.
    missing = sorted(name for name in wanted - given.keys() if not name.endswith("num_batches_tracked"))
    wrong = sorted(name for name in given if name not in wanted or own[name].shape != given[name].shape)
    if missing or wrong:
        raise UserError(
            f"{path} does not hold a {encoder}: {', '.join((missing + wrong)[:4])} missing or of another shape"
        )
    network.load_state_dict(given, strict=False)
