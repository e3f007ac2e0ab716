"""`python -m deploy.provisioning` prepares the servers of a cluster."""

from __future__ import annotations

import logging
import sys

from deploy.provisioning.provision import main
from deploy.stack.refusal import Refusal
from services.runtime import settings

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        main()
    except (Refusal, settings.UnknownSetting) as refusal:
        sys.exit(str(refusal))
