from carvana.networks import ternausnet
from tests.networks.contract import NetworkContract


class TestTernausNet(NetworkContract):
    module = ternausnet
    model = "ternausnet"
    encoder = "vgg11"
    narrow = 4
    divisor = 32
    millions_of_parameters = 22.93
    gives_probabilities = True
