from carvana.networks import vgg_unet
from tests.networks.contract import NetworkContract


class TestVGGUNet(NetworkContract):
    module = vgg_unet
    model = "unet_vgg11"
    encoder = "vgg11"
    narrow = 4
    divisor = 32
    millions_of_parameters = 33.55
    gives_probabilities = False
