"""What every model learns by (torch): material, the loop, devices, folders of weights; no model is here."""
