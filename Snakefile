"""The winning solution of Kaggle's Carvana Image Masking Challenge: configuration, stages and targets for people."""

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.utils import min_version

# This checkout's code, and not what is installed: here, and in the jobs.
SOURCE = str(Path(workflow.basedir) / "src")
sys.path.insert(0, SOURCE)
paths = [SOURCE, *filter(None, [os.environ.get("PYTHONPATH")])]
os.environ.update(PYTHONPATH=os.pathsep.join(paths))

from carvana.computing.cpu import computes_bfloat16
from carvana.config import check_config, check_files
from carvana.container.name import image_name
from carvana.errors import UserError
from carvana.planning.plan import Plan

min_version("9.27")

# Progress bars are also written to log files: one line in two seconds is enough.
os.environ.setdefault("TQDM_MININTERVAL", "2")


# SIGTERM to all processes, as of Slurm or a container: a program saves its state and says so. Until it has, its shell
# waits and its log is open; else Snakemake, and with it a container, would end before.
shell.prefix(
    "set -euo pipefail; trap : TERM; "
    """tee() {{ trap '' TERM; command tee "$@"; }}; """
)


# Jobs name scripts, configuration and images by paths from here.
if not Path.cwd().samefile(workflow.basedir):
    raise WorkflowError(
        f"the workflow runs in its checkout: run `cd {workflow.basedir}` first, and leave --directory out"
    )


configfile: "config/config.yaml"


try:
    check_files(map(Path, workflow.configfiles))
    check_config(config, Path(workflow.basedir, "config/schema.yaml"))
    PLAN = Plan(config, Path(workflow.basedir))
    PLAN.check()
except UserError as error:
    raise WorkflowError(str(error)) from None


if (
    config["precision"] == "bf16"
    and workflow.global_resources.get("gpu") == 0
    and not computes_bfloat16()
):
    logger.warning(
        "warning: precision is bf16, and this CPU has no units for it (avx512_bf16): it will be slower than float32, on"
        " some CPUs many times; add --config precision=exact, as `make sample` does here"
    )


# Snakemake would find out about a missing folder after the job.
cache_folder = os.environ.get("SNAKEMAKE_OUTPUT_CACHE", "")
if workflow.enable_cache and not cache_folder:
    raise WorkflowError(
        "--cache is given and no folder for it; name one in SNAKEMAKE_OUTPUT_CACHE"
    )
if cache_folder and not (
    Path(cache_folder).is_dir() and os.access(cache_folder, os.W_OK | os.X_OK)
):
    raise WorkflowError(
        f"SNAKEMAKE_OUTPUT_CACHE={cache_folder} is no folder that can be written; make it, or unset the variable"
    )


pathvars:
    results=str(PLAN.results),
    logs=str(PLAN.results / "logs"),


# For `--sdm apptainer`: the image that docker/run.py builds, from the Docker engine of this machine.
container: config["image"] or f"docker-daemon://{image_name(Path(workflow.basedir))}"


include: "workflow/rules/common.smk"
include: "workflow/rules/download.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/folds.smk"
include: "workflow/rules/encoders.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/weights.smk"
include: "workflow/rules/curves.smk"
include: "workflow/rules/validate.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/ensemble.smk"
include: "workflow/rules/submission.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/leaderboard.smk"
include: "workflow/rules/verify.smk"
include: "workflow/rules/report.smk"


if PLAN.second_round.second:

    include: "workflow/rules/pseudo_labels.smk"
    include: "workflow/rules/pseudo_masks.smk"


rule all:
    default_target: True
    input:
        PLAN.submissions.wanted(),
        rules.score.output,
        rules.picture.output if PLAN.ensembles else [],


for member in MEMBERS:

    rule:
        name:
            member
        input:
            PLAN.submissions.of_member(member),


for model in MODELS:

    rule:
        name:
            model
        input:
            PLAN.submissions.path(model),
