"""The prompt engineer's workbench in a browser on this machine: the one floor that imports nicegui."""
