"""``python -m deepsif_lite.cli``."""

import sys

from . import main

sys.exit(main())
