"""What every network promises; each network's test class inherits it."""

from types import ModuleType
from typing import Literal

import pytest
import torch

from carvana.networks.initialisation import initialise
from carvana.recipe_files import load_recipe


class NetworkContract:
    module: ModuleType
    model: str
    encoder: Literal["vgg11", "resnet34"] | None
    narrow: int
    divisor: int
    millions_of_parameters: float
    gives_probabilities: bool

    def build(self, seed=1):
        network = self.module.build(self.narrow)
        initialise(network, self.encoder, torch.Generator().manual_seed(seed))
        return network

    def images(self, count=2, height=64, width=128):
        return torch.rand((count, 3, height, width), generator=torch.Generator().manual_seed(2))

    def test_output_has_one_channel_of_the_inputs_size(self):
        network = self.build().eval()
        with torch.no_grad():
            for height, width in ((self.divisor, self.divisor), (self.divisor, 2 * self.divisor), (64, 192)):
                assert network(self.images(2, height, width)).shape == (2, 1, height, width)

    def test_output_is_a_probability_or_a_logit(self):
        network = self.build().eval()
        last = [parameter for name, parameter in network.named_parameters() if name.startswith("final")][-1]
        with torch.no_grad():
            last.fill_(-3.0)
            output = network(self.images())
        if self.gives_probabilities:
            assert output.min() >= 0 and output.max() <= 1
        else:
            assert output.min() < -1

    def test_gradients_reach_every_parameter(self):
        network = self.build().train()
        network(self.images()).square().sum().backward()
        without = [name for name, parameter in network.named_parameters() if not parameter.grad.abs().sum() > 0]
        assert without == []

    def test_evaluation_repeats_itself_and_takes_each_image_alone(self):
        network = self.build().eval()
        images = self.images()
        with torch.no_grad():
            together = network(images)
            assert torch.equal(together, network(images))
            alone = torch.cat([network(image[None]) for image in images])
        assert torch.allclose(together, alone, rtol=0, atol=1e-5 * together.abs().max().item())

    def test_double_precision_agrees_with_single(self):
        network = self.build().eval()
        with torch.no_grad():
            single = network(self.images())
            double = network.double()(self.images().double())
        assert double.dtype == torch.float64
        assert torch.allclose(single.double(), double, rtol=0, atol=1e-4 * double.abs().max().item())

    def test_the_state_dict_is_all_that_a_network_is(self):
        network = self.build(seed=1).train()
        network(self.images())
        other = self.build(seed=3)
        other.load_state_dict(network.state_dict(), strict=True)
        with torch.no_grad():
            assert torch.equal(network.eval()(self.images()), other.eval()(self.images()))

    def test_size_in_the_recipe(self):
        recipe = load_recipe(self.model)
        assert recipe.modules.network == self.module.__name__
        assert recipe.network.encoder == self.encoder
        with torch.device("meta"):
            network = self.module.build(recipe.network.num_filters)
        count = sum(parameter.numel() for parameter in network.parameters())
        assert count / 1e6 == pytest.approx(self.millions_of_parameters, abs=0.005)
