"""`python -m deploy.cli` is `platea`."""

from deploy.cli import main

main()
