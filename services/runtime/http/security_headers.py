"""What browsers may do with a response."""

from __future__ import annotations

from collections.abc import Mapping

NO_SNIFFING: Mapping[str, str] = {"X-Content-Type-Options": "nosniff"}
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    **NO_SNIFFING,
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""For pages. JSON carries nosniff alone."""
