"""Takes the gateway at the word of its OpenAPI document, with openapi-spec-validator,
jsonschema and schemathesis.

It starts the server on SQLite. It exits 0 if the document is OpenAPI 3.1, and
nothing that schemathesis tries is answered in another way than it says."""

import argparse
import copy
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
from openapi_spec_validator import OpenAPIV31SpecValidator

from edge import JSON, UNLIMITED, Edge, bearer, wait_for_caller

# Twice: as a person, and as an operator's tool.
SCHEMATHESIS_SECONDS = 30


def document(server):
    """The document is OpenAPI 3.1."""
    answer = server.http.get("/v1/openapi.json")
    assert answer.status == 200 and answer.type == JSON, answer
    errors = [str(error) for error in OpenAPIV31SpecValidator(answer.json).iter_errors()]
    assert not errors, errors
    return answer.json


def conforms(document, seen):
    """What was answered is what the document says, with no member that it does not name."""
    strict = copy.deepcopy(document["components"])
    for schema in strict["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    operations = set()
    for method, path, body in seen:
        for pattern, operation in document["paths"].items():
            named = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(pattern))
            if "{" not in path and re.fullmatch(named, path) and method.lower() in operation:
                break
        else:
            assert not path.startswith("/v1/"), f"{method} {path} is not in the document"
            continue
        said = operation[method.lower()]["responses"]["200"]["content"][JSON]["schema"]
        jsonschema.Draft202012Validator(said | {"components": strict}).validate(body)
        operations.add((method, pattern))
    print(f"    {len(seen)} answers of {len(operations)} operations are as documented")
    assert len(operations) > 20, operations


def schemathesis(server, seconds, *headers):
    """What the document promises, tried at random: no 5xx but those that say that
    something is not there, the documented types, bodies of the documented form."""
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "schemathesis.toml")
        config.write_text(
            "[checks.not_a_server_error]\nenabled = true\nexpected-statuses = ['2xx', '3xx', '4xx', 501, 503]\n"
        )
        given = [argument for header in headers for argument in ("--header", header)]
        done = subprocess.run(
            [
                pathlib.Path(sys.executable).with_name("schemathesis"),
                "--config-file",
                str(config),
                "run",
                f"http://{server.gateway}/v1/openapi.json",
                "--checks",
                "not_a_server_error,content_type_conformance,response_schema_conformance",
                "--max-time",
                str(seconds),
                "--max-examples",
                "30",
                "--workers",
                "1",
                "--phases",
                "examples,coverage,fuzzing",
                "--no-color",
                "--continue-on-failure",
                "--suppress-health-check",
                "all",
                # What would end the session that all the others are tried with.
                "--exclude-name",
                "DELETE /v1/sessions",
                "--exclude-name",
                "POST /v1/profile/withdraw",
                *given,
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=seconds * 3 + 60,
        )
    print(done.stdout[-12000:] + done.stderr[-2000:])
    assert done.returncode == 0, "schemathesis found that answers are not as documented"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, type=pathlib.Path, help="the countersign binary")
    parser.add_argument(
        "--seconds", type=int, default=SCHEMATHESIS_SECONDS, help="how long schemathesis may try"
    )
    given = parser.parse_args()
    server = Edge(str(given.server.resolve()), UNLIMITED)
    try:
        document(server)
        operator = server.caller("ops", "operator")
        wait_for_caller(server.http, bearer(operator))
        email, _ = server.sign_up()
        token = server.sign_in(email)["access_token"]
        for shown in (token, operator):
            schemathesis(server, given.seconds, f"Authorization: Bearer {shown}")
    finally:
        server.stop()
    print("the gateway is as its document says, for 2 of 2 kinds of users")


if __name__ == "__main__":
    main()
