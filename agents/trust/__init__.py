"""How sure a claim is: calibrated confidences, and from which on an attribute's claims are accepted."""
