"""Two model fields: ids as Zoom has them, and secrets that are encrypted at rest."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from .crypto import DecryptionError, decrypt, encrypt


class ZoomIdField(models.CharField):
    """An id of Zoom's, compared byte for byte on every database.

    Zoom's ids and UUIDs are base64: ``abc=`` and ``ABC=`` are two things. MariaDB and MySQL
    compare text without case by default, so the column gets a binary collation there.
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
    """A secret at hand. Prints as ``••••``; ``reveal()`` gives the text, and not to templates.

    ``reveal`` is marked ``alters_data`` so that Django's template engine refuses to call it.
    Falsy when there is nothing to reveal.
    """

    __slots__ = ("_place", "_token", "_value")

    def __init__(self, *, value: str | None = None, token: str = "", place: str = ""):
        self._value = value
        self._token = token
        self._place = place

    def reveal(self) -> str:
        """The text in clear.

        Raises:
            wagtail_zoom.utils.crypto.DecryptionError: no key fits, or it belongs to another row.
        """
        if self._value is not None:
            return self._value
        return decrypt(self._token, self._place) if self._token else ""

    reveal.alters_data = True  # type: ignore[attr-defined]

    @property
    def readable(self) -> bool:
        """Whether the text can be had with the keys in use."""
        try:
            self.reveal()
        except DecryptionError:
            return False
        return True

    def sealed(self) -> str:
        """The ciphertext to store. Encrypts with the newest key if it was set in clear."""
        if self._value is None:
            return self._token
        return encrypt(self._value, self._place) if self._value else ""

    def __bool__(self) -> bool:
        return bool(self._token if self._value is None else self._value)

    def __repr__(self) -> str:
        return "••••" if self else "''"  # guard: secret-hidden-when-printed

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.sealed() == other.sealed()

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Any:  # guard: secret-not-pickled
        raise TypeError("A secret cannot be pickled.")


class _Sealed(str):
    """Ciphertext straight from the database, to tell it from a text set in clear."""


class SecretAttribute(DeferredAttribute):
    """Hands out ``Secret`` objects that know the row they belong to.

    A data descriptor (it has ``__set__``), so that the value in ``__dict__`` is never handed out
    bare.
    """

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value

    def __get__(self, instance: models.Model | None, cls: type | None = None) -> Any:
        if instance is None:
            return self
        raw = super().__get__(instance, cls)
        if raw is None or isinstance(raw, Secret):
            return raw or Secret(value="")
        place = f"{self.field.model._meta.label_lower}.{self.field.name}|{instance.secret_place()}"
        if isinstance(raw, _Sealed):
            return Secret(token=str(raw), place=place)
        return Secret(value=str(raw), place=place)


class SecretField(models.TextField):
    """Text that is encrypted at rest and read as a ``Secret``.

    The model must offer ``secret_place() -> str``: the natural key of the row, which must not
    change while the row lives. Assign plain ``str``; an empty string stores nothing.
    Cannot be filtered on. Left out of ``dumpdata`` in clear: serialisers get the ciphertext.
    """

    descriptor_class = SecretAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", "")
        kwargs.setdefault("blank", True)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str:
        return _Sealed(value) if value else ""

    def to_python(self, value: Any) -> Any:
        return value

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        secret: Secret = getattr(model_instance, self.attname)
        return _Sealed(secret.sealed())

    def get_prep_value(self, value: Any) -> str:
        if isinstance(value, Secret):
            return value.sealed()
        if value and not isinstance(value, _Sealed):
            raise ValueError("A secret is only stored through its model instance.")
        return str(value or "")

    def value_to_string(self, obj: models.Model) -> str:
        return getattr(obj, self.attname).sealed()

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name in ("exact", "isnull") else None
