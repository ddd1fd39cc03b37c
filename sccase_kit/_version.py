"""The version of the installed package; it imports nothing of the package."""

from importlib.metadata import version

__version__ = version("sccase_kit")
