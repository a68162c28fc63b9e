"""``python -m ml COMMAND``."""

import sys

from ml.cli.main import main

sys.exit(main())
