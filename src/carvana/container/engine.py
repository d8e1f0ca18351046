"""The Docker engine of this machine, or one clear message why there is none to be used."""

from __future__ import annotations

import os
from collections.abc import Mapping

from docker.client import DockerClient
from docker.context import ContextAPI
from docker.errors import DockerException

from carvana.errors import UserError


def address(environment: Mapping[str, str]) -> str:
    """Where the `docker` program would find its engine: DOCKER_HOST, or the context in use.

    Raises:
        UserError: there is no such context, or the engine is another machine's.
    """
    found = environment.get("DOCKER_HOST")
    origin = "DOCKER_HOST"
    if not found:
        name = environment.get("DOCKER_CONTEXT")
        context = ContextAPI.get_context(name) if name else ContextAPI.get_current_context()
        if context is None:
            raise UserError(f"there is no Docker context {name}; `docker context ls` lists them")
        origin = f"the Docker context {context.name}"
        found = str(context.Host)
    if not found.startswith(("unix://", "http+unix://")):
        raise UserError(
            f"{origin} leads to another machine's engine ({found}), which cannot mount this machine's folders: unset"
            " DOCKER_HOST and run `docker context use default`, or run this on that machine"
        )
    return found


def connect(environment: Mapping[str, str] = os.environ) -> DockerClient:
    """A client of the engine, which has answered. Raises UserError where it does not, or may not be asked."""
    where = address(environment)
    try:
        client = DockerClient(base_url=where, version="auto")
        client.ping()
    except DockerException as error:
        if "Permission denied" in str(error):
            raise UserError(
                f"you may not use the Docker engine at {where}: `sudo usermod -aG docker $USER`, then log in anew; its"
                " members can become root on this machine, so ask who is responsible for it"
            ) from None
        raise UserError(
            f"no Docker engine answers at {where}: install one (Debian, Ubuntu: apt-get install docker.io) and start it"
            " (systemctl start docker), or do without a container: make env"
        ) from None
    return client
