"""What a run tells of itself to a collector, by OpenTelemetry: spans for run, item, agent and question."""
