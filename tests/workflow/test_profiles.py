"""The profiles, as far as planning shows them; `make test-slurm` runs the cluster's."""

import re
import subprocess

import pytest
import yaml

from carvana.revision import ROOT
from tests.programs import SNAKEMAKE, with_programs


def planned(tmp_path, *arguments, **more):
    command = [str(SNAKEMAKE), "--dry-run", "--nolock", *arguments, "--config", f"results={tmp_path}"]
    environment = {**with_programs(), **more}
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def resources(output, rule):
    """What each job of the rule asks for, as a dictionary."""
    for job in re.findall(rf"^ *(?:local)?rule {rule}:\n((?: {{4,}}.*\n)+)", output, re.MULTILINE):
        text = re.search(r"resources: (.*)", job)
        yield dict(part.split("=", 1) for part in text[1].split(", ")) if text else {}


@pytest.mark.slow
def test_slurms_jobs_ask_for_what_the_recipe_needs(tmp_path):
    output = planned(tmp_path, "albu", "ternaus", "--profile", "profiles/slurm")
    jobs = list(resources(output, "train"))
    assert len(jobs) == 35
    assert {job["gpu"] for job in jobs} == {job["nodes"] for job in jobs} == {"1"}
    assert {job["mem_mb"] for job in jobs} == {"16000"}
    # LinkNet34's 14 hours and TernausNet's 74, which is cut to a day.
    assert {job["runtime"] for job in jobs} == {"1259", "1440"}
    assert {job["slurm_extra"] for job in jobs} == {"--signal=USR1@120"}
    (merge, *_) = resources(output, "merge")
    assert (merge["mem_mb"], merge.get("gpu")) == ("4000", None)


@pytest.mark.slow
def test_the_ci_profile_wants_no_gpu(tmp_path):
    arguments = ["--profile", "profiles/ci", "--cores", "2", "--configfile", "config/tiny.yaml"]
    assert {job["gpu"] for job in resources(planned(tmp_path, *arguments), "train")} == {"0"}


@pytest.mark.parametrize("profile", ["slurm", "kubernetes"])
def test_grouped_rules_exist_and_profiles_are_readable(profile):
    document = yaml.safe_load((ROOT / "profiles" / profile / "profile.yaml").read_text())
    assert document["executor"] == profile
    rules = "".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    for rule in document.get("groups", {}):
        assert re.search(rf"^rule {rule}:", rules, re.MULTILINE), rule
    assert set(document.get("group-components", {})) <= set(document.get("groups", {}).values())


@pytest.mark.slow
def test_another_image_reruns_nothing(tmp_path):
    """Only where jobs really run in it is an image a reason to."""
    target = f"{tmp_path}/tiny/competition/solution.csv"
    tiny = ["--cores", "1", "--configfile", "config/tiny.yaml", "--nolock", "--config", f"results={tmp_path}"]
    environment = with_programs()
    subprocess.run([str(SNAKEMAKE), target, *tiny], cwd=ROOT, env=environment, check=True, capture_output=True)
    again = [str(SNAKEMAKE), target, "--dry-run", *tiny, "image=other.sif"]
    run = subprocess.run(again, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    assert "Nothing to be done" in run.stdout + run.stderr
