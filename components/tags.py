"""The tags of a stack: set in one place, on every resource that accepts tags."""

from collections.abc import Collection, Mapping

import pulumi

STAGE = "aws:apigateway/stage:Stage"
"""A stage of API Gateway: it inherits its API's tags (API Gateway Developer Guide, "Resources that can be tagged")."""


def tag_everything(tags: Mapping[str, str], *, except_types: Collection[str] = ()) -> None:
    """Tag every resource that is made from now on and whose type accepts tags.

    Args:
        tags: Name → value.
        except_types: Resource types that get none, such as `STAGE`.
    """

    def add_tags(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        # The provider's classes list every input that their type has, the unset ones as None.
        if "tags" not in args.props or args.type_ in except_types:
            return None
        return pulumi.ResourceTransformationResult(props={**args.props, "tags": tags}, opts=args.opts)

    pulumi.runtime.register_stack_transformation(add_tags)
