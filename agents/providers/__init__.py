"""One file for each way of reaching a language model, behind the protocol of `base`."""
