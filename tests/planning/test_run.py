from tests.planning.plans import plan


def test_the_store_follows_the_results_unless_it_is_named():
    assert str(plan(results="there").store) == "there/store"
    assert str(plan(store="/shared").store) == "/shared"


def test_a_gpu_is_deterministic_unless_the_configuration_says_otherwise():
    assert plan().autotune_argument == ""
    assert plan(deterministic=False).autotune_argument == "--autotune"
