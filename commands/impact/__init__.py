"""`reaseq impact`: from an edit of prompts, model or agents to what it did to the knowledge and the ranking."""
