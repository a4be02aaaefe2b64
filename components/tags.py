"""The tags of a stack: set in one place, on every resource that accepts tags."""

from collections.abc import Mapping

import pulumi


def tag_everything(tags: Mapping[str, str]) -> None:
    """Tag every resource that is made from now on and whose type accepts tags.

    Args:
        tags: Name → value.
    """

    def add_tags(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        # The provider's classes list every input that their type has, the unset ones as None.
        if "tags" not in args.props:
            return None
        return pulumi.ResourceTransformationResult(props={**args.props, "tags": tags}, opts=args.opts)

    pulumi.runtime.register_stack_transformation(add_tags)
