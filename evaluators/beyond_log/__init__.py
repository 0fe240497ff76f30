"""Beyond the log: how well is told what people want that the log does not show, on logs of which a part was hidden."""
