"""From a file's records to the policy they mean: what no schema can say is checked here, all of it before giving up."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from jupyter_qguard.catalog import load_catalog
from jupyter_qguard.policy import model
from jupyter_qguard.policy.connect import vault_problems, vaults_policy
from jupyter_qguard.policy.host import HostError, HostPattern
from jupyter_qguard.policy.pattern import PatternError, join_patterns
from jupyter_qguard.policy.record import AccessRecord, ClassifyRecord
from jupyter_qguard.scan.finding import Classification
from jupyter_qguard.secret import SecretRef, SecretRefError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jupyter_qguard.policy.document import Path, PolicyText
    from jupyter_qguard.policy.record import (
        AllowRecord,
        AuditRecord,
        DenyRecord,
        EgressRecord,
        ExceptionRecord,
        FileRecord,
        PolicyRecord,
        ScanRecord,
    )
    from jupyter_qguard.policy.structure import Mismatch

KINDS_OF_DATA = ("account_identifier", "backend_properties", "calibration_snapshot", "queue_configuration")
"""What the scanner recognises without being a credential."""

_DATA_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
"""Rule ids have hyphens or dots where they have more than one word, so the two cannot be taken for each other."""
_WHAT = re.compile(r"(?P<kind>[a-z]+):(?P<target>[A-Za-z0-9][A-Za-z0-9._/-]*)(?: in (?P<paths>\S.*))?")
_WHAT_KIND = re.compile(r"[a-z_]+:\S*.*")

T = TypeVar("T")


class Builder:
    """Builds one policy and remembers every problem on the way."""

    def __init__(self, document: PolicyText) -> None:
        """Start with no problem; *document* says where each entry stands."""
        self._document = document
        self.problems: list[Mismatch] = []

    def policy(self, record: PolicyRecord) -> model.Policy:
        """The policy that *record* means; worth nothing if there are problems afterwards."""
        classes, patterns, words = self._classify(record.classify)
        self.problems += vault_problems(record.vaults)
        return model.Policy(
            scan=scan_policy(record.scan),
            classify=classes,
            patterns=patterns,
            descriptions=words,
            egress=self._egress(record.egress) if record.egress else model.STARTER.egress,
            access=self._access(record.access, record.vaults.others),
            exceptions=tuple(
                self._exception(entry, ("exceptions", index)) for index, entry in enumerate(record.exceptions)
            ),
            files=tuple(self._file(entry, ("files", index)) for index, entry in enumerate(record.files)),
            audit=self._audit(record.audit),
            vaults=vaults_policy(record.vaults),
        )

    def _where(self, path: Path) -> str:
        return f"{self._document.source}:{self._document.line(path)}"

    def _wrong(self, path: Path, problem: str) -> None:
        self.problems.append((path, problem))

    def _classify(
        self, records: Mapping[str, str | ClassifyRecord]
    ) -> tuple[dict[str, Classification], dict[str, str], dict[str, str]]:
        classes: dict[str, Classification] = {}
        patterns: dict[str, str] = {}
        words: dict[str, str] = {}
        for name, record in records.items():
            path: Path = ("classify", name)
            own = record if isinstance(record, ClassifyRecord) else None
            classes[name] = Classification[(own.class_ if own else str(record)).upper()]
            if own and own.description:
                words[name] = own.description
            if own and own.patterns:
                self._own_kind(name, path)
                try:
                    patterns[name] = join_patterns(own.patterns)
                except PatternError as error:
                    self._wrong((*path, "patterns"), str(error))
            elif name not in KINDS_OF_DATA and name not in _known_data():
                known = ", ".join(sorted(_known_data()))
                self._wrong(path, f"no such kind of data; known: {known}. For a kind of your own give `patterns`")
        return classes, patterns, words

    def _own_kind(self, name: str, path: Path) -> None:
        if not _DATA_NAME.fullmatch(name):
            self._wrong(path, "a name has lower-case letters and digits, and `_` between words, as `wafer_id`")
        elif name in load_catalog().rules:
            self._wrong(path, "this is the name of a credential's rule, and credentials are always restricted")

    def _egress(self, record: EgressRecord) -> model.EgressPolicy:
        proxy, bundle = record.upstream_proxy, record.ca_bundle
        if proxy is not None:
            self._proxy(proxy)
        if bundle is not None and not bundle.startswith("/"):
            self._wrong(("egress", "ca_bundle"), "must be an absolute path")
        allow = [self._allow(entry, ("egress", "allow", index)) for index, entry in enumerate(record.allow)]
        deny = [self.deny(entry, ("egress", "deny", index)) for index, entry in enumerate(record.deny)]
        return model.EgressPolicy(
            mode=record.mode,
            minimum_tier=model.Tier[record.minimum_tier.upper()],
            allow=tuple(rule for rule in allow if rule),
            deny=tuple(rule for rule in deny if rule),
            upstream_proxy=proxy,
            ca_bundle=bundle,
            terminals=record.terminals,
        )

    def _proxy(self, text: str) -> None:
        path: Path = ("egress", "upstream_proxy")
        try:
            url = urlsplit(text)
            usable = url.scheme in ("http", "https") and bool(url.hostname) and (url.port or 1) > 0
        except ValueError:
            self._wrong(path, "not a URL; write it as http://proxy.example.org:3128")
            return
        if "@" in text:
            self._wrong(path, "a user or password does not belong into a policy: write the URL without it")
        elif not usable or url.path.strip("/") or url.query or url.fragment:
            self._wrong(path, "write it as http://proxy.example.org:3128: scheme, host and port, nothing else")

    def _host(self, text: str, path: Path) -> HostPattern | None:
        try:
            return HostPattern.parse(text)
        except HostError as error:
            self._wrong((*path, "host"), str(error))
            return None

    def _allow(self, record: AllowRecord, path: Path) -> model.AllowRule | None:
        networks = [self._network(text, (*path, "addresses", index)) for index, text in enumerate(record.addresses)]
        addresses = tuple(network for network in networks if network)
        host = self._host(record.host, path)
        if host is None:
            return None
        literal = host.host.address
        if literal is not None and not any(literal in network for network in addresses):
            whole = f"{literal}/{literal.max_prefixlen}"
            self._wrong(path, f"an IP address needs `addresses` that hold it: `{{host: {host}, addresses: [{whole}]}}`")
        if record.plain and not record.reason:
            self._wrong(path, "`plain: true` sends everything readable over the network: say why in `reason`")
        return model.AllowRule(
            host=host,
            ports=record.ports,
            addresses=addresses,
            plain=record.plain,
            owner=record.owner or "",
            reason=record.reason or "",
            expires=record.expires,
            where=self._where(path),
        )

    def deny(self, record: DenyRecord, path: Path) -> model.DenyRule | None:
        """The rule of one entry under ``egress.deny``, or None with a problem."""
        host = self._host(record.host, path)
        return model.DenyRule(host, record.owner or "", record.reason or "", self._where(path)) if host else None

    def _network(self, text: str, path: Path) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
        try:
            return ipaddress.ip_network(text)
        except ValueError:
            pass
        try:
            loose = ipaddress.ip_network(text, strict=False)
        except ValueError:
            self._wrong(path, "not an address or network; write it as 10.20.0.0/24")
        else:
            self._wrong(path, f"the network of that address is `{loose}`: write that, or the address alone")
        return None

    def _access(self, records: tuple[AccessRecord, ...], others: Collection[str]) -> tuple[model.AccessEntry, ...]:
        seen: dict[str, int] = {}
        for index, record in enumerate(records):
            if record.name in seen:
                self._wrong(("access", index, "name"), f"taken by access[{seen[record.name]}]")
            seen.setdefault(record.name, index)
        return tuple(self._entry(record, ("access", index), others) for index, record in enumerate(records))

    def _entry(self, record: AccessRecord, path: Path, others: Collection[str]) -> model.AccessEntry:
        if record.vendor not in load_catalog().vendors:
            self._wrong((*path, "vendor"), f"not in the catalogue; known: {', '.join(load_catalog().vendors)}")
        return model.AccessEntry(
            name=record.name,
            vendor=record.vendor,
            secrets=self._secrets(record, path, others),
            environment=record.environment,
            owner=record.owner,
            purpose=record.purpose,
            expires=record.expires,
            regions=record.regions,
            settings=dict(record.settings),
            who=model.Who(frozenset(record.who.users), frozenset(record.who.groups)) if record.who else model.Who(),
            operations=frozenset(record.operations),
            quota=self._quota(record, path),
            where=self._where(path),
        )

    def _secrets(self, record: AccessRecord, path: Path, others: Collection[str]) -> dict[str, SecretRef]:
        if (record.secret is None) == (not record.secrets):
            self._wrong(path, "give either `secret: REFERENCE` or `secrets: {FIELD: REFERENCE}`")
        secrets: dict[str, SecretRef] = {}
        for field, text in ({"": record.secret} if record.secret is not None else record.secrets).items():
            try:
                secrets[field] = SecretRef.parse(text, others)
            except SecretRefError as error:
                self._wrong((*path, "secrets", field) if field else (*path, "secret"), str(error))
        return secrets

    def _quota(self, record: AccessRecord, path: Path) -> dict[model.Operation, model.Quota]:
        quota: dict[model.Operation, model.Quota] = {}
        for operation, text in record.quota.items():
            if operation not in record.operations:
                self._wrong((*path, "quota", operation.value), "the entry does not permit this operation")
            count, _, period = text.partition("/")
            quota[operation] = model.Quota(int(count), model.QuotaPeriod(period))
        return quota

    def _exception(self, record: ExceptionRecord, path: Path) -> model.PolicyException:
        kind, target, paths = model.ExceptionKind.NOTE, record.what, None
        found = _WHAT.fullmatch(record.what)
        if found and found["kind"] in ("rule", "kernelspec"):
            kind, target, paths = model.ExceptionKind(found["kind"]), found["target"], found["paths"]
        elif _WHAT_KIND.fullmatch(record.what):
            self._wrong(
                (*path, "what"),
                "write `rule:RULE_ID`, `rule:RULE_ID in PATH_PATTERN` or `kernelspec:NAME`; "
                "a note that bends nothing does not begin with `word:`",
            )
        if paths and kind is not model.ExceptionKind.RULE:
            self._wrong((*path, "what"), "only a rule can be limited to paths")
        return model.PolicyException(
            kind=kind,
            target=target,
            paths=paths,
            owner=record.owner,
            reason=record.reason,
            compensating_control=record.compensating_control,
            expires=record.expires,
        )

    def _file(self, record: FileRecord, path: Path) -> model.FileRule:
        parts = record.path.removeprefix("~").split("/")
        if not record.path.startswith(("/", "~/")) or {".", ".."} & set(parts):
            self._wrong((*path, "path"), "write an absolute path, or one below `~/`, without `.` and `..`")
        elif not any(parts) or any(sign in record.path for sign in "*?["):
            self._wrong((*path, "path"), "name one file or folder below the root, without patterns")
        access = model.FileAccess(record.access)
        if access is model.FileAccess.READ_WRITE and not (record.owner and record.reason and record.expires):
            self._wrong(path, "what opens something needs `owner`, `reason` and `expires`")
        return model.FileRule(
            path=record.path,
            access=access,
            owner=record.owner or "",
            reason=record.reason or "",
            expires=record.expires,
            where=self._where(path),
        )

    def _audit(self, record: AuditRecord) -> model.AuditPolicy:
        if record.path is not None and not record.path.startswith("/"):
            self._wrong(("audit", "path"), "must be an absolute path")
        days = int(record.retention.removesuffix("d")) if record.retention else None
        return model.AuditPolicy(record.path, days)


def scan_policy(record: ScanRecord) -> model.ScanPolicy:
    """The ``scan`` section as values."""
    return model.ScanPolicy(
        record.mode,
        model.Action[record.source.upper()],
        model.Action[record.output.upper()],
        model.Action[record.metadata.upper()],
        model.Action[record.text_files.upper()],
    )


def _known_data() -> frozenset[str]:
    named = (rule.classification for _, rule in load_catalog().rules.values())
    return frozenset(KINDS_OF_DATA).union(name for name in named if name)
