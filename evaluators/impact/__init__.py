"""What a change of prompts, model or agents does to quality, knowledge, vectors, rankings and cost, and the verdict."""
