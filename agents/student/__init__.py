"""The student: a small trained model that reads attribute values out of titles, without any language model."""
