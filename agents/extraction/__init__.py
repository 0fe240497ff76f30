"""The parts of the attribute extractor: who finds values beside the rules, and how their findings become one."""
