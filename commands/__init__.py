"""The subcommands of the command line: call the floors below, print what they return."""
