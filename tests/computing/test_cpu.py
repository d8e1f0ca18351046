import os

from carvana.computing import runtime
from carvana.computing.cpu import computes_bfloat16, cpu_kind, cpu_name
from carvana.computing.environment import computed_in

PROCESSOR = """processor\t: {number}
vendor_id\t: AuthenticAMD
cpu family\t: 26
model\t\t: 2
model name\t: AMD EPYC
stepping\t: 1
cpu MHz\t\t: {mhz}
flags\t\t: {flags}

"""

ARM = """processor\t: 0
BogoMIPS\t: 2000.00
Features\t: fp asimd sve sve2 bf16
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd4f
CPU revision\t: 1

"""


def described(folder, mhz=2600, flags="fpu avx512f", cache="1024K"):
    text = "".join(PROCESSOR.format(number=number, mhz=mhz, flags=flags) for number in (0, 1))
    (folder / "cpuinfo").write_text(text)
    for index, size in enumerate(("48K", cache)):
        (folder / "cache" / f"index{index}").mkdir(parents=True, exist_ok=True)
        (folder / "cache" / f"index{index}" / "size").write_text(f"{size}\n")
    return cpu_kind(folder / "cpuinfo", folder / "cache")


def test_a_kind_of_cpu_is_what_kernels_are_chosen_by(tmp_path):
    kind = described(tmp_path)
    assert kind.startswith("AuthenticAMD 26 2 1, caches 48K 1024K, flags ")
    assert described(tmp_path, mhz=3100) == kind
    assert described(tmp_path, flags="avx512f fpu") == kind
    assert described(tmp_path, flags="fpu") != kind
    assert described(tmp_path, cache="2048K") != kind


def test_where_the_system_does_not_tell_there_is_still_a_name(tmp_path):
    assert cpu_kind(tmp_path / "cpuinfo", tmp_path)
    (tmp_path / "cpuinfo").write_text("processor\t: 0\n")
    assert cpu_kind(tmp_path / "cpuinfo", tmp_path)


def test_macos_tells_by_a_program_of_its_own(tmp_path, monkeypatch):
    program = tmp_path / "sysctl"
    program.write_text('#!/bin/sh\n[ "$*" = "-n machdep.cpu.brand_string" ] && echo "Apple M2 Pro"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert cpu_name(tmp_path / "none") == cpu_kind(tmp_path / "none", tmp_path) == "Apple M2 Pro"


def test_arms_cpus_have_numbers_only(tmp_path):
    described(tmp_path)
    (tmp_path / "cpuinfo").write_text(ARM)
    assert cpu_name(tmp_path / "cpuinfo") == "ARM 0x41 0xd4f 0x0 1"
    kind = cpu_kind(tmp_path / "cpuinfo", tmp_path / "cache")
    assert kind.startswith("ARM 0x41 0xd4f 0x0 1, caches 48K 1024K, flags ")
    (tmp_path / "cpuinfo").write_text(ARM.replace(" sve2", ""))
    assert cpu_kind(tmp_path / "cpuinfo", tmp_path / "cache") != kind
    assert not computes_bfloat16(tmp_path / "cpuinfo")


def test_a_cpus_name_has_its_numbers(tmp_path):
    described(tmp_path)
    assert cpu_name(tmp_path / "cpuinfo") == "AMD EPYC 26 2 1"
    assert cpu_name(tmp_path / "none")


def test_a_cpu_has_units_for_bfloat16_or_has_not(tmp_path):
    described(tmp_path, flags="fpu avx512_bf16")
    assert computes_bfloat16(tmp_path / "cpuinfo")
    described(tmp_path)
    assert not computes_bfloat16(tmp_path / "cpuinfo")
    assert not computes_bfloat16(tmp_path / "none")


def test_what_was_computed_says_on_which_cpu():
    assert computed_in()["cpu"] == cpu_kind()


def test_a_job_on_the_cpu_names_it_as_its_maker_does(monkeypatch):
    monkeypatch.setattr(runtime, "cpu_name", lambda: "AMD EPYC 26 2 1")
    assert runtime.device_name("cpu") == "AMD EPYC 26 2 1"
