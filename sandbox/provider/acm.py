"""AWS Certificate Manager."""

from collections.abc import Mapping

from sandbox.errors import SandboxError
from sandbox.provider.account import Account, wait_until
from sandbox.provider.resource import Change, Existing, Inputs, ResourceType, chosen, tag_list, tag_map

ARGUMENTS = {
    "domainName": "DomainName", "subjectAlternativeNames": "SubjectAlternativeNames",
    "validationMethod": "ValidationMethod", "keyAlgorithm": "KeyAlgorithm",
}  # fmt: skip


class Certificate(ResourceType):
    """A certificate that ACM issues once its domain is proven."""

    type_name = "aws:acm/certificate:Certificate"
    unreadable = frozenset({"validationMethod"})

    def _create(self, account: Account, inputs: Inputs) -> str:
        request = {ARGUMENTS[key]: value for key, value in chosen(inputs, ARGUMENTS).items()}
        tags = {"Tags": tag_list(inputs["tags"])} if inputs.get("tags") else {}
        return str(account.client("acm").request_certificate(**request, **tags)["CertificateArn"])

    def _read(self, account: Account, known: Existing) -> Existing:
        client = account.client("acm")
        found = client.describe_certificate(CertificateArn=known.id)["Certificate"]
        tags = tag_map(client.list_tags_for_certificate(CertificateArn=known.id)["Tags"])
        records = [(each["DomainName"], each["ResourceRecord"]) for each in found["DomainValidationOptions"]]
        options = [
            {
                "domainName": domain,
                "resourceRecordName": record["Name"],
                "resourceRecordType": record["Type"],
                "resourceRecordValue": record["Value"],
            }
            for domain, record in records
        ]
        inputs = {"domainName": found["DomainName"], "keyAlgorithm": found["KeyAlgorithm"], "tags": tags}
        return Existing(known.id, inputs, {"arn": known.id, "domainValidationOptions": options})

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("acm").delete_certificate(CertificateArn=old.id)

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        account.client("acm").add_tags_to_certificate(CertificateArn=old.id, Tags=tag_list(tags))

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        account.client("acm").remove_tags_from_certificate(CertificateArn=old.id, Tags=[{"Key": key} for key in keys])


class CertificateValidation(ResourceType):
    """The wait for a certificate to be issued; nothing at AWS."""

    type_name = "aws:acm/certificateValidation:CertificateValidation"

    def _create(self, account: Account, inputs: Inputs) -> str:
        found = self._certificate(account, inputs)
        wanted = {each["ResourceRecord"]["Name"].rstrip(".") for each in found["DomainValidationOptions"]}
        given = {each.rstrip(".") for each in inputs.get("validationRecordFqdns") or wanted}
        if missing := sorted(wanted - given):
            raise SandboxError(
                f"The certificate of {found['DomainName']} waits for the record {missing[0]}: create it."
            )
        wait_until(lambda: self._certificate(account, inputs)["Status"] == "ISSUED", "The certificate's validation")
        return str(found["IssuedAt"])

    def _certificate(self, account: Account, inputs: Inputs) -> Inputs:
        arn = inputs["certificateArn"]
        return dict(account.client("acm").describe_certificate(CertificateArn=arn)["Certificate"])

    def _read(self, account: Account, known: Existing) -> Existing | None:
        return known if self._certificate(account, known.inputs)["Status"] == "ISSUED" else None

    def _update(self, account: Account, change: Change) -> None:
        """Nothing can be changed in place."""

    def _delete(self, account: Account, old: Existing) -> None:
        """There is nothing at AWS."""
