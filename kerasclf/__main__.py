"""`python -m kerasclf` runs the `kerasclf` program."""

import sys

from kerasclf.cli import main

sys.exit(main())
