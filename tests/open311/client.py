"""A client of GeoReport v2 that knows the specification and nothing of Whistle: it sends, reads both formats into one
shape, and notes what no answer may do."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
import xml.etree.ElementTree as ElementTree

FORMATS = ("xml", "json")
TYPES = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")

# Containers of one repeated child: arrays in JSON, even of none (the Spark rule).
LISTS = {
    "services": "service", "service_requests": "request", "errors": "error", "attributes": "attribute",
    "values": "value", "endpoints": "endpoint", "formats": "format", "groups": "group", "notes": "note",
    "media_urls": "media_url", "service_request_updates": "request_update",
}


def read_xml(text):
    """An XML answer as (root's name, value): lists, dicts, text or None."""
    head, root = text[:60], ElementTree.fromstring(text.encode())
    assert re.match(r"""<\?xml version=["']1\.0["'] encoding=["']UTF-8["']""", head), f"no declaration: {head}"

    def read(element):
        assert not element.attrib, f"<{element.tag}> has XML attributes: {element.attrib}"
        assert "{" not in element.tag or element.tag.startswith("{http://wiki.open311.org/GeoReport_v2}")
        children = list(element)
        if element.tag in LISTS:
            strangers = {child.tag for child in children} - {LISTS[element.tag]}
            assert not strangers, f"<{element.tag}> holds {strangers}"
            return [read(child) for child in children]
        if not children:
            return element.text or None
        names = [child.tag for child in children]
        assert len(names) == len(set(names)), f"<{element.tag}> repeats a field: {names}"
        return {child.tag: read(child) for child in children}

    return root.tag, read(root)


def as_text(value):
    """A JSON value with its leaves as XML writes them."""
    match value:
        case dict():
            return {name: as_text(inner) for name, inner in value.items()}
        case list():
            return [as_text(inner) for inner in value]
        case bool():
            return "true" if value else "false"
        case None | str():
            return value or None
        case _:
            return repr(value) if isinstance(value, float) and not value.is_integer() else str(int(value))


class Answer:
    def __init__(self, status, headers, body, format):
        self.status, self.headers, self.format = status, headers, format
        self.text = body.decode("utf-8")  # anything else is a fault
        self.root = self.raw = None
        if format == "xml":
            self.root, self.value = read_xml(self.text)
        elif format == "json":
            self.raw = json.loads(self.text)
            self.value = as_text(self.raw)

    @property
    def codes(self):
        return [error["code"] for error in self.value]

    @property
    def only(self):
        assert isinstance(self.value, list) and len(self.value) == 1, self.value
        return self.value[0]


class Client:
    def __init__(self, base, key=None):
        self.base, self.key = base.rstrip("/"), key

    def send(self, method, url, body=None, headers=()):
        request = urllib.request.Request(url, data=body, method=method, headers=dict(headers))
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.headers, refusal.read()

    def answer(self, method, path, format, query=(), body=None, headers=()):
        url = f"{self.base}{path}.{format}"
        if query:
            url += "?" + urllib.parse.urlencode(query, doseq=True)
        status, sent, got = self.send(method, url, body, headers)
        assert sent["Content-Type"] == TYPES[format], f"{url}: Content-Type is {sent['Content-Type']}"
        answer = Answer(status, sent, got, format)
        if status >= 400:
            assert answer.root in (None, "errors"), f"{url}: the root of an error is <{answer.root}>"
            assert answer.value and all(set(e) == {"code", "description"} and e["code"] and e["description"]
                                        for e in answer.value), f"{url}: no errors in {answer.text}"
        return answer

    def get(self, path, format, query=(), **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.answer("GET", path, format, query, headers=named)

    def post(self, path, format, fields, key=True, headers=(), query=()):
        fields = list(fields.items() if isinstance(fields, dict) else fields)
        if key and self.key:
            fields.append(("api_key", self.key if key is True else key))
        kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        body = urllib.parse.urlencode(fields, doseq=True).encode()
        return self.answer("POST", path, format, query, body, {**kind, **dict(headers)})

    def upload(self, path, format, fields, files):
        boundary = uuid.uuid4().hex
        parts = []
        for name, value in {**fields, "api_key": self.key}.items():
            parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
        for name, (filename, kind, content) in files:
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
            parts.append(f"{head}Content-Type: {kind}\r\n\r\n".encode() + content + b"\r\n")
        parts.append(f"--{boundary}--\r\n".encode())
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self.answer("POST", path, format, (), b"".join(parts), kind)
