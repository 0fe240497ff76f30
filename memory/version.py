"""The version of reaseq; stored with everything that it makes."""

VERSION = "0.1.0"
