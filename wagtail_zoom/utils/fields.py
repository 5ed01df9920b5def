"""Two model fields: Zoom IDs, and secrets that are encrypted at rest."""

# django-stubs gives subclasses of fields their type arguments only with this:
# mypy: allow-any-generics

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from .crypto import DecryptionError, decrypt, encrypt

if TYPE_CHECKING:
    _SecretText = models.TextField["str | Secret", "Secret"]
else:  # Django's fields take no arguments at runtime.
    _SecretText = models.TextField


class ZoomIdField(models.CharField):
    """A Zoom ID, compared byte for byte on every database.

    Zoom's IDs and UUIDs are base64: ``abc=`` and ``ABC=`` differ. MariaDB and MySQL compare text
    case-insensitively by default, so the column gets a binary collation there.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 100)
        super().__init__(*args, **kwargs)

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters


class Secret:
    """A secret value. Prints as ``••••``; ``reveal()`` returns the text, but not in templates.

    ``reveal`` is marked ``alters_data`` so that Django's template engine refuses to call it.
    Falsy when there is nothing to reveal.
    """

    __slots__ = ("_binding", "_token", "_value")

    def __init__(self, *, value: str | None = None, token: str = "", binding: str = ""):
        self._value = value
        self._token = token
        self._binding = binding

    def reveal(self) -> str:
        """The text in clear.

        Raises:
            wagtail_zoom.utils.crypto.DecryptionError: no key fits, or it belongs to another row.
        """
        if self._value is not None:
            return self._value
        return decrypt(self._token, self._binding) if self._token else ""

    reveal.alters_data = True  # type: ignore[attr-defined]  # Django reads it

    @property
    def readable(self) -> bool:
        """Whether the text can be decrypted with the current keys."""
        try:
            self.reveal()
        except DecryptionError:
            return False
        return True

    def ciphertext(self) -> str:
        """The ciphertext to store. Text that was assigned is encrypted with the newest key."""
        if self._value is None:
            return self._token
        return encrypt(self._value, self._binding) if self._value else ""

    def __bool__(self) -> bool:
        return bool(self._token if self._value is None else self._value)

    def __repr__(self) -> str:
        return "••••" if self else "''"  # guard: secret-hidden-when-printed

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.ciphertext() == other.ciphertext()

    __hash__ = None  # type: ignore[assignment]  # as ``list`` does

    def __reduce__(self) -> Any:  # guard: secret-not-pickled
        raise TypeError("A secret cannot be pickled.")


class _Ciphertext(str):
    """Ciphertext from the database, distinguished from text assigned in clear."""


class SecretAttribute(DeferredAttribute):
    """Returns ``Secret`` objects that are bound to their row.

    A data descriptor (it has ``__set__``), so that the raw value in ``__dict__`` is never returned.
    """

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value

    def __get__(self, instance: Any, cls: type[models.Model] | None = None) -> Any:
        if instance is None:
            return self
        raw = super().__get__(instance, cls)
        if raw is None or isinstance(raw, Secret):
            return raw or Secret(value="")
        binding = (
            f"{self.field.model._meta.label_lower}.{self.field.name}|{instance.secret_binding()}"
        )
        if isinstance(raw, _Ciphertext):
            return Secret(token=str(raw), binding=binding)
        return Secret(value=str(raw), binding=binding)


class SecretField(_SecretText):
    """Text that is encrypted at rest and read as a ``Secret``.

    The model must define ``secret_binding() -> str``: the natural key of the row, which must never
    change. Assign plain ``str``; an empty string stores nothing. Cannot be filtered on. Serialisers
    (``dumpdata``) get the ciphertext.
    """

    descriptor_class = SecretAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", "")
        kwargs.setdefault("blank", True)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str:
        return _Ciphertext(value) if value else ""

    def to_python(self, value: Any) -> Any:
        return value

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        secret: Secret = getattr(model_instance, self.attname)
        return _Ciphertext(secret.ciphertext())

    def get_prep_value(self, value: Any) -> str:
        if isinstance(value, Secret):
            return value.ciphertext()
        if value and not isinstance(value, _Ciphertext):
            raise ValueError("A secret is only stored through its model instance.")
        return str(value or "")

    def value_to_string(self, obj: models.Model) -> str:
        secret: Secret = getattr(obj, self.attname)
        return secret.ciphertext()

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name in ("exact", "isnull") else None
