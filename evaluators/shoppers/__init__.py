"""Simulated shoppers over a catalog of knowledge, whose needs are known in truth and whose log shows a part of them."""
