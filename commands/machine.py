"""On what a figure was measured, as reports say it."""

import os
import platform


def machine() -> str:
    """Return what computes, and how busy it is."""
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {load}"
