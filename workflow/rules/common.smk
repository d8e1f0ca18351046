# What several stages need to know; the knowledge itself lives in the library, which has tests.
from carvana.catalogue import MEMBERS, RECIPES, merged_models, recipe_of
from carvana.planning.cache_key import cache_key
from carvana.planning.options import option
from carvana.planning.requests import requests_of
from carvana.planning.trainings import FIRST_OF_ALL
from carvana.recipe_files import model_names

MODELS = model_names(edition=PLAN.edition)
REQUESTS = {model: requests_of(PLAN, model) for model in MODELS}


def one_of(names):
    """A constraint that nothing meets where there are no names."""
    return "|".join(names) or "(?!)"


wildcard_constraints:
    model="|".join(MODELS),
    recipe="|".join(RECIPES),
    variant="|".join(PLAN.maps.own_masks),
    fold=r"\d+",
    # Under the name of another number of shards there would be images that belong to other shards.
    shard="|".join(PLAN.shards),
    shards=PLAN.shards[-1],
    part="train|" + "|".join(PLAN.test_parts),
    split="train|test",
