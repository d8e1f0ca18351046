# What several stages need to know; the knowledge itself lives in the library, which has tests.
import sys

import yaml

sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from carvana.catalogue import (
    MEMBERS,
    RECIPES,
    SUBMISSIONS,
    models_of,
    recipe_of,
    sections,
)
from carvana.provenance import (
    code_digest,
    listing_digest,
    package_versions,
    recipe_digest,
)
from carvana.recipe import load_recipe, model_names

MODELS = model_names()
AUTHORS_FOLDS = {
    load_recipe(model).folds.scheme: load_recipe(model).folds.count for model in MODELS
}
PUBLISHED = yaml.safe_load(Path(workflow.basedir, "config/published.yaml").read_text())
SYNTHETIC = config["data"]["source"] == "synthetic"
# The same folder as the path variable <results>, which params do not know.
RESULTS = Path(config["results"], config["run"])
DATA = str(RESULTS / "competition") if SYNTHETIC else config["data"]["folder"]
TEST_PARTS = [
    f"test-{shard:02}-of-{config['shards']:02}"
    for shard in range(1, config["shards"] + 1)
]
QUIET = "--quiet" if config["quiet"] else ""


wildcard_constraints:
    model="|".join(MODELS),
    recipe="|".join(RECIPES),
    fold=r"\d+",
    part="train|" + "|".join(TEST_PARTS),
    split="train|test",


def provenance(script):
    """Params of a rule that runs `script`: the digest of its code and the releases of the numeric packages."""
    return {
        "code": code_digest(Path(workflow.basedir, script)),
        "packages": package_versions(),
    }


def recipe_provenance(script):
    """As `provenance`, for a rule with the wildcard `model`: its recipe's own modules and values count too."""

    def code(wildcards):
        modules = load_recipe(wildcards.model).modules.model_dump()
        return code_digest(
            Path(workflow.basedir, script),
            tuple(modules[name] for name in sections(script).modules),
        )

    def values(wildcards):
        return recipe_digest(wildcards.model, sections(script).values)

    return {"code": code, "recipe_values": values, "packages": package_versions()}


def folds_of(model):
    """Numbers of the model's folds, from 0."""
    return range(config["folds"] or load_recipe(model).folds.count)


def sums(model, part):
    """The file of summed 8-bit maps of a model: out-of-fold for the training images, of a shard of the test images."""
    return (
        f"<results>/oof/{model}/maps.h5"
        if part == "train"
        else f"<results>/predictions/{model}/{part}.h5"
    )


def submission_file(name):
    return f"<results>/submissions/{name}.csv.gz"


def submissions_of(member):
    """Names of the member's submissions, one for each of his recipes."""
    return [name for name, recipe in SUBMISSIONS.items() if recipe in MEMBERS[member]]
