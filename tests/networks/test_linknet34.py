from carvana.networks import linknet34
from tests.networks.contract import NetworkContract


class TestLinkNet34(NetworkContract):
    module = linknet34
    model = "linknet34_fma_s44"
    encoder = "resnet34"
    narrow = 8
    divisor = 32
    millions_of_parameters = 21.64
    gives_probabilities = False
