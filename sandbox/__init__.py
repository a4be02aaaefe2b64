"""The local cloud: the real Pulumi program on an emulated AWS, with a stand-in for Facebook."""
