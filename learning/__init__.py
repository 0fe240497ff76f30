"""What every model learns by (torch): material, counts, the loop, devices, folders of weights; no network is here."""
