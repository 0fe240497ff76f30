"""How rules read attribute values from product text, without a model."""
