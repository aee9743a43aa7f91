"""What an operation is, and everything that is derived from its declaration."""

from trex.catalogue.declare import CATALOGUE as CATALOGUE
from trex.catalogue.interface import interface as interface
