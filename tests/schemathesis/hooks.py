"""Checks of our own: what fits the document is readable, and every error has the one shape."""

import schemathesis

UNREADABLE = {"bad_body", "bad_json", "bad_parameter", "unknown_field", "missing_field"}


@schemathesis.check
def readable_when_it_fits_the_document(ctx, response, case):
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code != 400:
        return
    error = response.json()["error"]
    if error["code"] == "missing_field" and error.get("field") == "seen":
        return  # staff must say it, reporters need not
    if "floating point" in error["message"]:
        return  # JSON Schema takes 1.0 for an integer; we ask for 1
    assert error["code"] not in UNREADABLE, f"refused as unreadable: {error}"


@schemathesis.check
def errors_have_one_shape(ctx, response, case):
    if response.status_code >= 400:
        error = response.json()["error"]
        assert {"code", "message", "request_id"} <= set(error), error
