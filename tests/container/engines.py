"""Docker engines of our own, which leave the machine's network alone, and what they run."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docker.client import DockerClient
from docker.errors import DockerException

from carvana.container.name import image_name
from carvana.revision import ROOT
from tests.services import install, running

BASE = {"BASE_IMAGE": "local/base:1", "APT_SNAPSHOT": ""}


@dataclass(frozen=True)
class Engine:
    """A running engine."""

    folder: Path

    @property
    def address(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    @property
    def client(self) -> DockerClient:
        return DockerClient(base_url=self.address)

    def command(self, *arguments: str) -> list[str]:
        """The launcher's command line; the engine has no network of its own."""
        builds = [part for name, value in BASE.items() for part in ("--build-arg", f"{name}={value}")]
        return [sys.executable, "docker/run.py", "--network", "host", *builds, *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "DOCKER_HOST": self.address, **more}

    def launch(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), cwd=ROOT, env=self.environment(**more), capture_output=True, text=True
        )


def programs_without(name: str, folder: Path) -> Path:
    """Links in a new folder to every program on the PATH but this one."""
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*"):
            link = folder / program.name
            if program.name != name and not link.is_symlink():
                link.symlink_to(program)
    return folder


def install_engine() -> None:
    """Have Docker's programs on this machine; tests are left out where that cannot be."""
    install(["dockerd", "iptables"], ["docker.io", "iptables"])


@contextlib.contextmanager
def started(folder: Path, path: str | None = None) -> Iterator[Engine]:
    """An engine with its store in `folder`; where `path` is given it is its PATH."""
    install_engine()
    folder.mkdir(parents=True, exist_ok=True)
    engine = Engine(folder)
    command = ["dockerd", f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
    command += [f"--host={engine.address}", "--iptables=false", "--ip6tables=false", "--bridge=none"]
    command += ["--ip-forward=false", "--ip-masq=false"]

    def answers() -> bool:
        with contextlib.suppress(DockerException):
            return bool(engine.client.ping())
        return False

    try:
        with running(command, folder / "log", answers, {**os.environ, "PATH": path or os.environ["PATH"]}):
            yield engine
    finally:
        subprocess.run(["umount", f"{folder}/exec/netns/default"], capture_output=True)


def add_small_image(engine: Engine) -> None:
    """In place of the real image, one of a shell and what the launcher expects: a quick test needs no torch."""
    install(["/bin/busybox", "/usr/bin/tini-static"], ["busybox-static", "tini"])
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for source, target in (("/bin/busybox", "bin/busybox"), ("/usr/bin/tini-static", "bin/tini")):
            tar.add(source, target)
        for name in ("sh", "sleep", "id", "stat", "env", "cat", "df", "mount", "touch", "stty", "ls", "true"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for name, mode in (("tmp", 0o1777), ("home/carvana", 0o1777)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)
    repository, tag = image_name(ROOT, BASE).split(":")
    changes = ['ENTRYPOINT ["/bin/tini", "-g", "--"]', "ENV PATH=/bin"]
    engine.client.api.import_image_from_data(content.getvalue(), repository=repository, tag=tag, changes=changes)
