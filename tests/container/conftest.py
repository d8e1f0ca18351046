import os

import pytest

from tests.container.engines import add_small_image, install_engine, programs_without, started

# By this program on its PATH an engine knows that NVIDIA's runtime is there.
HOOK = "nvidia-container-runtime-hook"


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """An engine without NVIDIA's runtime, and a small image."""
    # Before the programs are linked: on a new machine these are not among them yet.
    install_engine()
    programs = programs_without(HOOK, tmp_path_factory.mktemp("programs") / "links")
    with started(tmp_path_factory.mktemp("engine"), str(programs)) as engine:
        add_small_image(engine)
        yield engine


@pytest.fixture(scope="session")
def engine_with_gpus(tmp_path_factory):
    """The same with a pretend hook of NVIDIA's: requests for GPUs are taken, and there are none."""
    folder = tmp_path_factory.mktemp("programs")
    hook = folder / HOOK
    hook.write_text("#!/bin/sh\ncat > /dev/null\n")
    hook.chmod(0o755)
    with started(tmp_path_factory.mktemp("engine"), f"{folder}{os.pathsep}{os.environ['PATH']}") as engine:
        add_small_image(engine)
        yield engine
