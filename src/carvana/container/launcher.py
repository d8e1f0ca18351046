"""Run a command in the pinned image as if it ran here: same paths, same user, its output, its exit code.

python docker/run.py snakemake --cores 8 --resources gpu=4
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from docker.types import DeviceRequest

from carvana.computing.lease import LOCKS_VARIABLE, lock_folder
from carvana.computing.nvidia import VISIBLE_VARIABLE, devices
from carvana.container.command import needs_of
from carvana.container.engine import connect
from carvana.container.gpus import choose, requests
from carvana.container.image import find_or_build
from carvana.container.mounts import CACHE_VARIABLE, Folder, folders, mounts, wished
from carvana.container.secrets import credentials
from carvana.container.session import run
from carvana.errors import UserError
from carvana.interruption import ended_by_signals
from carvana.revision import IMAGE_VARIABLE, REVISION_VARIABLE, revision

HOME: Final = Path("/home/carvana")
# Of the caller's environment, what our programs and Snakemake take from it.
PASSED: Final = (CACHE_VARIABLE, "KAGGLE_API_ENVIRONMENT", "TERM", "TQDM_MININTERVAL")


def main(root: Path, arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, run, and exit with the program's code.

    Args:
        root: of the checkout.
        arguments: without the program's name; None: the process's.

    Raises:
        UserError: see the modules of this package.
    """
    given = _parser().parse_args(arguments)
    root, here = root.resolve(), Path.cwd().resolve()
    if not here.is_relative_to(root):
        raise UserError(f"{here} is not in this checkout: run `cd {root}` first")
    command = given.command or ["bash"]
    needs = needs_of(command, root)
    wish = choose(given.gpus, needs.cpu, 0 if needs.cpu or given.gpus else len(devices()))
    gpus = requests(wish)
    wanted = folders(root, needs.config, os.environ)
    wanted += [Folder(path.absolute(), "--configfile", False) for path in needs.configfiles]
    wanted += [wished(text) for text in given.mount]
    if gpus:
        wanted.append(Folder(lock_folder(), LOCKS_VARIABLE, True))
    places = mounts(root, wanted)
    build = _build_arguments(given.build_arg)
    with ended_by_signals(requeued=True):
        client = connect()
        image = find_or_build(client, root, build, given.network)
    if not gpus:
        print("no GPU: the container computes on the CPU", file=sys.stderr)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    settings: dict[str, Any] = {
        "image": image.id,
        "command": command,
        "working_dir": str(here),
        "user": _user(client.info().get("SecurityOptions") or []),
        "group_add": [str(group) for group in os.getgroups()],
        "environment": _environment(os.environ, root, image.id, gpus),
        "device_requests": gpus,
        "shm_size": _shared_memory(),
        "network_mode": given.network,
        "tty": terminal,
        "stdin_open": terminal,
        "auto_remove": True,
        "labels": {"carvana": "run"},
    }
    if needs.kaggle:
        with credentials(os.environ, Path.home(), HOME) as secrets:
            raise SystemExit(run(client, {**settings, "mounts": places + secrets}))
    raise SystemExit(run(client, {**settings, "mounts": places}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python docker/run.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gpus", help="all, none, or a list such as 0,2 (default: all that this machine has)")
    parser.add_argument(
        "--mount", action="append", default=[], metavar="PATH[:ro]", help="another folder, at the same path"
    )
    parser.add_argument(
        "--build-arg",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an ARG of docker/Dockerfile, such as BASE_IMAGE or, for a mirror, PIP_INDEX_URL",
    )
    parser.add_argument("--network", help="Docker's network for building and running (default: the engine's)")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="to be run (default: bash)")
    return parser


def _build_arguments(given: Sequence[str]) -> dict[str, str]:
    wrong = [text for text in given if "=" not in text]
    if wrong:
        raise UserError(f"--build-arg {wrong[0]}: write NAME=VALUE")
    return dict(text.split("=", 1) for text in given)


def _user(security: Sequence[str]) -> str:
    """The calling user's numbers; a rootless engine has mapped its root to them."""
    return "0:0" if any("rootless" in option for option in security) else f"{os.getuid()}:{os.getgid()}"


def _environment(mine: Mapping[str, str], root: Path, image: str, gpus: Sequence[DeviceRequest]) -> dict[str, str]:
    passed = {name: mine[name] for name in PASSED if name in mine}
    # The checkout's code and commit, and not those of the image's copy.
    own = {
        "PYTHONPATH": str(root / "src"),
        IMAGE_VARIABLE: image,
        REVISION_VARIABLE: revision(root),
        "HOME": str(HOME),
        "USER": mine.get("USER") or str(os.getuid()),
    }
    own |= {"XDG_CACHE_HOME": str(HOME / ".cache"), "PYTHONUNBUFFERED": "1"}
    # "void" where NVIDIA's runtime is every container's: the base image asks for all devices.
    own |= {LOCKS_VARIABLE: str(lock_folder())} if gpus else {"NVIDIA_VISIBLE_DEVICES": "void"}
    # Where the container has some of the machine's GPUs, they have other numbers in it; they are chosen already.
    if VISIBLE_VARIABLE in mine and any(one.count == -1 for one in gpus):
        own[VISIBLE_VARIABLE] = mine[VISIBLE_VARIABLE]
    return passed | own


def _shared_memory() -> int:
    """Bytes for /dev/shm, through which loading processes hand over images: half of the memory, as Linux itself has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
