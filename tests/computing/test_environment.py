import hashlib
from importlib.metadata import version

from carvana.computing.environment import LOCK, computed_in, other_than_locked
from carvana.data.manifest import Manifest
from carvana.revision import revision
from carvana.training.split import TrainingImages
from tests.programs import SCRIPTS
from tests.training.conditions import small_conditions

TRAIN = SCRIPTS / "train.py"


def test_the_lock_and_the_image_are_named(monkeypatch):
    monkeypatch.setenv("CARVANA_IMAGE", "sha256:12")
    computed_in.cache_clear()
    found = computed_in()
    computed_in.cache_clear()
    assert found["lock"] == hashlib.sha256(LOCK.read_bytes()).hexdigest()
    assert (found["image"], found["revision"]) == ("sha256:12", revision())


def test_packages_that_differ_from_the_lock_are_named():
    numpy = version("numpy")
    assert other_than_locked(f"# head\nnumpy=={numpy} \\\n    --hash=sha256:00\n") == []
    lock = "numpy==1.0\nnonesuch==1.0\nabsent==1.0 ; sys_platform == 'win32'\n"
    assert other_than_locked(lock) == [f"numpy {numpy}", "nonesuch missing"]


def test_a_key_is_the_same_inside_and_outside_an_image(monkeypatch):
    images = TrainingImages(Manifest(()), {})
    outside = small_conditions("ternausnet", 1).facts(TRAIN, images)
    monkeypatch.setenv("CARVANA_IMAGE", "sha256:12")
    assert small_conditions("ternausnet", 1).facts(TRAIN, images) == outside
