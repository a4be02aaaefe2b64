"""What drives the provider: an engine that runs the Pulumi program and brings resources to what it says."""
