"""The image for this checkout's lock: found, or built from docker/Dockerfile."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from docker.client import DockerClient
from docker.errors import APIError, BuildError, ImageNotFound

from carvana.container.name import image_name, lock_digest
from carvana.errors import UserError
from carvana.revision import revision

# Measured: the engine's store grows by this much at most while it builds.
BUILD_BYTES: Final = 14 * 2**30

_FULL: Final = "no space left on device"
_NO_BASE: Final = ("pull access denied", "manifest unknown", "not found: manifest", "no such host", "dial tcp")


def find_or_build(client: DockerClient, root: Path, arguments: Mapping[str, str], network: str | None) -> Any:
    """The image, as the SDK knows it; its building is told on stderr.

    Args:
        client: of the engine.
        root: of the checkout.
        arguments: of the build, laid over the Dockerfile's own.
        network: that the build uses; None: the engine's.

    Raises:
        UserError: the base image cannot be had, the disk is too small, or a step of the Dockerfile fails.
    """
    name = image_name(root, arguments)
    try:
        return client.images.get(name)
    except ImageNotFound:
        pass
    for argument, value in arguments.items():
        if re.match(r"\w+://[^/]*@", value):
            raise UserError(f"--build-arg {argument} holds a password, which the image would keep; give one without")
    _check_disk(client)
    given = {"REVISION": revision(root), "LOCK": lock_digest(root), **arguments}
    print(f"building {name}; this is done once for this lock", file=sys.stderr, flush=True)
    try:
        steps = client.api.build(
            path=str(root),
            dockerfile="docker/Dockerfile",
            tag=name,
            buildargs=given,
            network_mode=network,
            rm=True,
            forcerm=True,
            decode=True,
        )
        _follow(steps, given.get("BASE_IMAGE"))
    except APIError as error:
        raise UserError(_explained(str(error.explanation or error), given.get("BASE_IMAGE"))) from None
    except BuildError as error:
        raise UserError(_explained(str(error), given.get("BASE_IMAGE"))) from None
    return client.images.get(name)


def _follow(steps: Iterable[Mapping[str, Any]], base: str | None) -> None:
    for step in steps:
        if "error" in step:
            raise UserError(_explained(str(step["error"]), base))
        # Of a pull: layers, with their progress, which is left out.
        said = step.get("stream") or (f"{step['status']}\n" if "status" in step and "progress" not in step else "")
        sys.stderr.write(said)
        sys.stderr.flush()


def _explained(reason: str, base: str | None) -> str:
    reason = reason.strip()
    if _FULL in reason.lower():
        return f"the disk of Docker's images is full ({reason}): `docker system prune` frees what nobody uses"
    if any(sign in reason for sign in _NO_BASE):
        return (
            f"the base image {base or 'of docker/Dockerfile'} cannot be had ({reason}): is this machine online? Another"
            " registry's copy of it can be named with --build-arg BASE_IMAGE=..."
        )
    return f"the image was not built: {reason}"


def _check_disk(client: DockerClient) -> None:
    folder = Path(client.info()["DockerRootDir"])
    if not folder.is_dir():  # as of an engine in a virtual machine
        return
    free = shutil.disk_usage(folder).free
    if free < BUILD_BYTES:
        raise UserError(
            f"building the image takes {BUILD_BYTES / 2**30:.0f} GiB in {folder}, and {free / 2**30:.1f} GiB are free:"
            " make room (`docker system prune` frees what nobody uses), or move Docker's `data-root`"
        )
