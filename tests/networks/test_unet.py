from carvana.networks import unet
from tests.networks.contract import NetworkContract


class TestUNet(NetworkContract):
    module = unet
    model = "unet_scratch"
    encoder = None
    narrow = 2
    divisor = 64
    millions_of_parameters = 91.24
    gives_probabilities = False
