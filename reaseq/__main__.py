"""`python -m reaseq`."""

from reaseq import main

main()
