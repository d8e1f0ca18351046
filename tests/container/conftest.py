import pytest

from tests.container.engines import add_small_image, started


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """An engine without NVIDIA's runtime, and a small image."""
    with started(tmp_path_factory.mktemp("engine")) as engine:
        add_small_image(engine)
        yield engine


@pytest.fixture(scope="session")
def engine_with_gpus(tmp_path_factory):
    """The same with a pretend hook of NVIDIA's: requests for GPUs are taken, and there are none."""
    folder = tmp_path_factory.mktemp("programs")
    hook = folder / "nvidia-container-runtime-hook"
    hook.write_text("#!/bin/sh\ncat > /dev/null\n")
    hook.chmod(0o755)
    with started(tmp_path_factory.mktemp("engine"), folder) as engine:
        add_small_image(engine)
        yield engine
