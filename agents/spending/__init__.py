"""What calls cost: prices, a budget that is asked before each call, and answers that were paid and lost."""
