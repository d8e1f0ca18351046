import pytest

from carvana.errors import UserError
from tests.planning.plans import plan


def test_weights_of_a_model_whose_member_is_left_out_are_refused():
    with pytest.raises(UserError, match=r"^unet_vgg11 is asanakoy's, who is left out of `members`"):
        plan(members=["ternaus"]).networks.weights("unet_vgg11")
