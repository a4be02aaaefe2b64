"""Gets the Pulumi CLI where there is none."""
