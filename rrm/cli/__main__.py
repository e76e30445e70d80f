"""`python -m rrm.cli`: the same as `rrm`, for an environment that has the code on its path only."""

import sys

from rrm.cli import main

sys.exit(main())
