"""``python -m sccase_kit``: the command ``sccase-kit``."""

import sys

from .start import main

if __name__ == "__main__":
    sys.exit(main())
