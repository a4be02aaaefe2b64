"""AWS resources, made, read, changed and deleted as Pulumi's AWS provider does it."""
