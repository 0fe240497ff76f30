"""How the rows of catalog files are read, one file a format."""
