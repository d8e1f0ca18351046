# What several stages need to know; the knowledge itself lives in the library, which has tests.
from carvana.catalogue import MEMBERS, RECIPES, models_of
from carvana.plan import BASELINES, Plan
from carvana.provenance import recipe_digest
from carvana.recipe import model_names
from carvana.requests import requests_of

PLAN = Plan(config, Path(workflow.basedir))
MODELS = model_names()
TRAINING, PREDICTION = zip(*(requests_of(PLAN, model) for model in MODELS))
TRAINING, PREDICTION = dict(zip(MODELS, TRAINING)), dict(zip(MODELS, PREDICTION))
MERGING = ("merge", "submission")
# Whose curves from ImageNet and from random weights are compared.
COMPARED = ("ternausnet", "linknet34_fma_s44")


wildcard_constraints:
    model="|".join(MODELS),
    recipe="|".join(RECIPES),
    variant="|".join(model for model in MODELS if model not in RECIPES),
    fold=r"\d+",
    part="train|" + "|".join(PLAN.test_parts),
    split="train|test",
