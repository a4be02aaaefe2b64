"""A domain name of one's own for the REST API: certificate, DNS records, and the mapping to the API's stage."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import acm, apigateway, route53

from components.rest_api import TLS

# RFC 1035: labels of up to 63 characters. API Gateway takes no upper-case letters (API Reference, "DomainName").
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN_NAME = rf"({_LABEL}\.)+[a-z]{{2,63}}"
# Route 53 API Reference, "GetHostedZone": an id has up to 32 characters.
HOSTED_ZONE_ID = "Z[A-Z0-9]{1,31}"
RECORD_SECONDS = 300
"""How long a resolver may keep the record that proves the domain to ACM."""


@dataclass(frozen=True, kw_only=True)
class CustomDomainArgs:
    """What `CustomDomain` needs.

    Attributes:
        domain_name: The host, such as `bot.example.org`.
        hosted_zone_id: The id of the public hosted zone in Route 53 that serves this name.
        api_id: The REST API behind it. It may be another one later: the address stays.
        stage_name: The API's stage.
        path: The API's path, without slashes.
    """

    domain_name: str
    hosted_zone_id: str
    api_id: pulumi.Input[str]
    stage_name: pulumi.Input[str]
    path: str


class CustomDomain(pulumi.ComponentResource):
    """A regional domain name with a certificate that ACM renews, as long as its record is in the zone.

    ACM issues the certificate once it finds that record, usually within minutes.

    Attributes:
        url: The address of the API's path; known once the name leads to the API.
    """

    url: pulumi.Output[str]

    def __init__(self, name: str, args: CustomDomainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:CustomDomain", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        certificate = acm.Certificate(
            f"{name}-certificate", domain_name=args.domain_name, validation_method="DNS", opts=child
        )
        wanted = certificate.domain_validation_options[0]
        proof = route53.Record(
            f"{name}-proof",
            zone_id=args.hosted_zone_id,
            name=wanted.resource_record_name,
            type=wanted.resource_record_type,
            records=[wanted.resource_record_value],
            ttl=RECORD_SECONDS,
            opts=child,
        )
        issued = acm.CertificateValidation(
            f"{name}-issued", certificate_arn=certificate.arn, validation_record_fqdns=[proof.fqdn], opts=child
        )
        domain = apigateway.DomainName(
            f"{name}-name",
            domain_name=args.domain_name,
            regional_certificate_arn=issued.certificate_arn,
            endpoint_configuration={"types": "REGIONAL"},
            **TLS,
            opts=child,
        )
        mapping = apigateway.BasePathMapping(
            f"{name}-mapping",
            domain_name=domain.domain_name,
            rest_api=args.api_id,
            stage_name=args.stage_name,
            opts=child,
        )
        address = route53.Record(
            f"{name}-address",
            zone_id=args.hosted_zone_id,
            name=args.domain_name,
            type="A",
            aliases=[
                {
                    "name": domain.regional_domain_name,
                    "zone_id": domain.regional_zone_id,
                    "evaluate_target_health": False,
                }
            ],
            opts=child,
        )
        self.url = pulumi.Output.all(mapping.id, address.fqdn).apply(
            lambda _: f"https://{args.domain_name}/{args.path}"
        )
        self.register_outputs({"url": self.url})
