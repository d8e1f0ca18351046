"""The launcher on a real Docker engine, with a small image in place of the large one."""

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time

import pytest

from carvana.container.engine import connect
from carvana.container.image import BUILD_BYTES
from carvana.container.launcher import main
from carvana.revision import ROOT, revision
from tests.accounts import as_user, passable
from tests.container.engines import Engine, started
from tests.services import leave_out, small_disk

pytestmark = pytest.mark.slow


def assert_nothing_is_left(engine):
    assert engine.client.containers.list(all=True) == []


def assert_told(run, *words):
    assert run.returncode == 1, run.stdout + run.stderr
    errors = [line for line in run.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, run.stderr
    assert "Traceback" not in run.stderr
    for word in words:
        assert word in errors[0]


def test_the_programs_output_and_exit_code_are_the_launchers(engine):
    run = engine.launch("sh", "-c", "echo out; echo err >&2; exit 7")
    assert (run.returncode, run.stdout) == (7, "out\n")
    assert run.stderr.splitlines() == ["no GPU: the container computes on the CPU", "err"]
    assert_nothing_is_left(engine)


def test_output_comes_as_it_is_printed(engine):
    command = engine.command("sh", "-c", "echo -n 'first\r'; sleep 3; echo second")
    with subprocess.Popen(command, cwd=ROOT, env=engine.environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert os.read(process.stdout.fileno(), 100) == b"first\r"
        assert process.poll() is None
        assert process.stdout.read() == b"second\n"
    assert process.returncode == 0


def test_the_checkout_is_seen_at_its_path_with_room_for_loading_processes(engine):
    run = engine.launch("sh", "-c", "cat Snakefile | busybox wc -c; id -u; id -g; df -k /dev/shm; env")
    lines = run.stdout.splitlines()
    assert lines[:3] == [str((ROOT / "Snakefile").stat().st_size), str(os.getuid()), str(os.getgid())]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert int(lines[4].split()[1]) * 1024 == pytest.approx(memory / 2, rel=0.01)
    environment = dict(line.split("=", 1) for line in lines[5:])
    assert environment["PYTHONPATH"] == str(ROOT / "src")
    assert environment["CARVANA_IMAGE"].startswith("sha256:")
    assert environment["CARVANA_REVISION"] == revision(ROOT)
    assert environment["HOME"] == "/home/carvana"


@pytest.fixture
def open_way(engine, tmp_path_factory):
    """A user's engine's socket can be reached, and a test's folder."""
    with passable(engine.folder, tmp_path_factory.getbasetemp()):
        yield


def test_it_runs_as_the_calling_user(engine, open_way, tmp_path):
    """Someone without a name on this machine, who may use the engine, owns what is made, and has a home."""
    os.chown(tmp_path, 12345, 54321)
    shell = f"touch {tmp_path}/made $HOME/home && id -u > {tmp_path}/user"
    arguments = engine.command("--mount", str(tmp_path), "sh", "-c", shell)[2:]
    socket = (engine.folder / "docker.sock").stat().st_gid

    def launch():
        os.environ["DOCKER_HOST"] = engine.address
        main(ROOT, arguments)

    assert as_user(12345, 54321, [socket], launch) == "exit 0"
    made = (tmp_path / "made").stat()
    assert (made.st_uid, made.st_gid) == (12345, 54321)
    assert (tmp_path / "user").read_text() == "12345\n"


def test_results_are_written_and_data_is_only_read(engine, tmp_path):
    data, results, store = (tmp_path / name for name in ("data", "results", "store"))
    data.mkdir()
    config = [f"results={results}", f"store={store}", f"data={json.dumps({'source': 'folder', 'folder': str(data)})}"]
    script = f"touch {results}/a && touch {store}/b && touch {data}/c"
    run = engine.launch("sh", "-c", script, "--config", *config)
    assert "Read-only file system" in run.stderr
    assert (results / "a").exists() and (store / "b").exists() and not (data / "c").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_signals_reach_every_process_inside_and_its_end_is_waited_for(engine, tmp_path, number):
    name = number.name.removeprefix("SIG")
    child = f"trap 'sleep 1; touch {tmp_path}/child; exit' {name}; echo ready; while true; do sleep 0.1; done"
    script = f"trap 'touch {tmp_path}/parent; exit 75' {name}; sh -c \"$0\""
    command = engine.command("--mount", str(tmp_path), "sh", "-c", script, child)
    with subprocess.Popen(command, cwd=ROOT, env=engine.environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(timeout=30) == 75
    assert sorted(path.name for path in tmp_path.iterdir()) == ["child", "parent"]
    assert_nothing_is_left(engine)


def test_a_container_whose_launcher_was_killed_goes_with_its_program(engine):
    command = engine.command("sh", "-c", "echo ready; sleep 2")
    with subprocess.Popen(command, cwd=ROOT, env=engine.environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
    end = time.monotonic() + 30
    while engine.client.containers.list(all=True) and time.monotonic() < end:
        time.sleep(0.2)
    assert_nothing_is_left(engine)


def in_terminal(engine, *arguments):
    """The launcher in a terminal of 120 columns, and the terminal's other end."""
    master, slave = pty.openpty()
    subprocess.run(["stty", "rows", "33", "cols", "120"], stdin=slave, check=True)
    process = subprocess.Popen(
        engine.command(*arguments), cwd=ROOT, env=engine.environment(), stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    return process, master


def read_until(master, word):
    seen = b""
    with contextlib.suppress(OSError):
        while word not in seen:
            seen += os.read(master, 4096)
    assert word in seen, seen
    return seen


def test_a_terminal_is_the_containers_with_its_size_and_keys(engine):
    process, master = in_terminal(engine, "sh", "-c", "sleep 1; stty size; read x; echo got $x; exit 3")
    read_until(master, b"33 120")
    os.write(master, b"words\n")
    read_until(master, b"got words")
    assert process.wait(timeout=30) == 3
    os.close(master)


def test_ctrl_c_in_a_terminal_reaches_the_program(engine):
    process, master = in_terminal(engine, "sh", "-c", "trap 'exit 75' INT; echo ready; while true; do sleep 0.1; done")
    read_until(master, b"ready")
    os.write(master, b"\x03")
    assert process.wait(timeout=30) == 75
    os.close(master)
    assert_nothing_is_left(engine)


def test_without_a_command_there_is_a_shell_to_open(engine):
    run = engine.launch()
    # The small image has no bash; tini says so.
    assert run.returncode == 127
    assert "bash" in run.stderr


def test_gpus_are_asked_for_and_seen(engine_with_gpus, tmp_path):
    def seen(wish):
        run = engine_with_gpus.launch(
            "--gpus",
            wish,
            "sh",
            "-c",
            "echo $NVIDIA_VISIBLE_DEVICES $CARVANA_GPU_LOCKS ${CUDA_VISIBLE_DEVICES:-numbered anew}",
            CARVANA_GPU_LOCKS=str(tmp_path),
            CUDA_VISIBLE_DEVICES="2,0",
        )
        assert run.returncode == 0, run.stderr
        return run.stdout.strip(), "CPU" in run.stderr

    # Some of the machine's GPUs have other numbers in the container.
    assert seen("all") == (f"all {tmp_path} 2,0", False)
    assert seen("0,2") == (f"0,2 {tmp_path} numbered anew", False)
    assert seen("none") == ("void numbered anew", True)


def test_the_command_itself_can_say_that_it_wants_none(engine):
    run = engine.launch("sh", "-c", "echo $NVIDIA_VISIBLE_DEVICES", "sh", "--resources", "gpu=0")
    assert run.stdout == "void\n"


def test_no_nvidia_runtime(engine):
    run = engine.launch("--gpus", "all", "true")
    assert_told(run, "no NVIDIA runtime", "nvidia-container-toolkit", "--gpus none", "gpu=0")
    assert_nothing_is_left(engine)


def test_a_wrong_list_of_gpus(engine):
    assert_told(engine.launch("--gpus", "some", "true"), "--gpus some", "all, none, or a list such as 0,2")


def test_no_engine(tmp_path):
    nobody = Engine(tmp_path)
    assert_told(nobody.launch("true"), f"no Docker engine answers at {nobody.address}", "apt-get install docker.io")


def test_no_permission_on_the_socket(engine, open_way):
    told = as_user(65534, 65534, [], lambda: connect({"DOCKER_HOST": engine.address}))
    assert f"you may not use the Docker engine at {engine.address}" in told
    assert "usermod -aG docker" in told


def test_an_engine_of_another_machine(engine, tmp_path):
    for address in ("tcp://203.0.113.7:2376", "ssh://someone@far"):
        run = subprocess.run(
            engine.command("true"),
            cwd=ROOT,
            env={**os.environ, "DOCKER_HOST": address},
            capture_output=True,
            text=True,
        )
        assert_told(run, "another machine's engine", address, "docker context use default")


def test_a_context_of_another_machine(engine, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}
    environment["DOCKER_CONFIG"] = str(tmp_path)
    made = ["docker", "context", "create", "far", "--docker", "host=tcp://203.0.113.7:2376"]
    subprocess.run(made, env=environment, check=True, capture_output=True)
    subprocess.run(["docker", "context", "use", "far"], env=environment, check=True, capture_output=True)
    run = subprocess.run(engine.command("true"), cwd=ROOT, env=environment, capture_output=True, text=True)
    assert_told(run, "the Docker context far leads to another machine's engine", "tcp://203.0.113.7:2376")


def test_a_base_image_that_cannot_be_had(engine):
    if shutil.disk_usage(engine.folder).free < BUILD_BYTES:
        leave_out("building needs more disk than this machine has")
    base = "127.0.0.1:1/cuda:1@sha256:" + "0" * 64
    assert_told(engine.launch("--build-arg", f"BASE_IMAGE={base}", "true"), f"the base image {base}", "online?")


def test_a_password_among_the_builds_arguments(engine):
    run = engine.launch("--build-arg", "PIP_INDEX_URL=https://me:secret@index.invalid", "--build-arg", "X=1", "true")
    assert_told(run, "PIP_INDEX_URL holds a password")
    assert "secret" not in run.stderr


def test_too_little_disk(tmp_path_factory):
    # A short name: the engine makes sockets below it, whose paths may have 107 characters.
    with small_disk(tmp_path_factory.mktemp("d"), "64m") as disk, started(disk) as engine:
        assert_told(engine.launch("true"), "building the image takes", "0.1 GiB are free", "docker system prune")


def test_a_folder_that_does_not_exist(engine, tmp_path):
    missing = tmp_path / "missing"
    assert_told(engine.launch("--mount", f"{missing}:ro", "true"), f"{missing} does not exist")
    data = f"data={json.dumps({'source': 'folder', 'folder': str(missing)})}"
    assert_told(engine.launch("snakemake", "--config", data), f"data.folder: {missing} does not exist")
    assert_nothing_is_left(engine)


def test_a_wrong_configuration_is_told_before_anything_starts(engine):
    assert_told(engine.launch("snakemake", "--config", "shards=0"), "the configuration cannot be used")


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / "access_token").write_text("KGAT_0123456789abcdef\n")
    return tmp_path


# In place of the programs, which the small image lacks: what they would find.
SHOW = "cat $HOME/.kaggle/access_token; echo; env; touch $HOME/.kaggle/access_token"


def test_credentials_are_a_file_that_is_only_read(engine, home, tmp_path):
    (tmp_path / "kaggle").write_text(f"#!/bin/sh\n{SHOW}\n")
    (tmp_path / "kaggle").chmod(0o755)
    run = engine.launch("--mount", f"{tmp_path}/kaggle:ro", f"{tmp_path}/kaggle", HOME=str(home))
    lines = run.stdout.splitlines()
    assert lines[0] == "KGAT_0123456789abcdef"
    assert not any("KGAT" in line or line.startswith("KAGGLE_") for line in lines[1:])
    assert "Read-only file system" in run.stderr


def test_credentials_stay_outside_where_kaggle_is_not_needed(engine, home, tmp_path):
    for program, arguments in (
        ("sh", ["-c", "ls -A $HOME"]),
        (f"{tmp_path}/snakemake", ["--dry-run"]),
        (f"{tmp_path}/snakemake", ["--configfile", "config/tiny.yaml"]),
    ):
        (tmp_path / "snakemake").write_text("#!/bin/sh\nls -A $HOME\n")
        (tmp_path / "snakemake").chmod(0o755)
        run = engine.launch("--mount", f"{tmp_path}/snakemake:ro", program, *arguments, HOME=str(home))
        assert (run.returncode, run.stdout) == (0, ""), run.stderr


def test_a_run_without_credentials_says_so_and_starts(engine, tmp_path):
    (tmp_path / "kaggle").write_text("#!/bin/sh\nls -A $HOME\n")
    (tmp_path / "kaggle").chmod(0o755)
    run = engine.launch("--mount", f"{tmp_path}/kaggle:ro", f"{tmp_path}/kaggle", HOME=str(tmp_path))
    assert run.returncode == 0
    assert "gets no Kaggle credentials: no Kaggle credentials were found" in run.stderr


def test_its_help_names_every_option():
    run = subprocess.run([sys.executable, "docker/run.py", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0
    for option in ("--gpus", "--mount", "--build-arg", "--network"):
        assert option in run.stdout


def test_outside_the_checkout(engine, tmp_path):
    command = [sys.executable, str(ROOT / "docker" / "run.py"), "true"]
    run = subprocess.run(command, cwd=tmp_path, env=engine.environment(), capture_output=True, text=True)
    assert_told(run, f"run `cd {ROOT}` first")
