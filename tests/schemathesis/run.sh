#!/usr/bin/env bash
# Fuzzes /api/v1 of a running Whistle with schemathesis, by the document that it serves: once with a staff session, once
# with an API key. Takes about two minutes.
#
#   tests/schemathesis/run.sh http://127.0.0.1:8311
#
# WHISTLE_LOGIN, WHISTLE_PASSWORD: a staff account. WHISTLE_API_KEY: a key of `whistle key add`. Without one of them its
# run is left out. The server must not limit the rate of requests. SEED: what the values are drawn from; a fixed one unless
# it is given, so that one commit has one verdict. EXAMPLES: how many values each operation gets. SECONDS_EACH: instead,
# how long each run goes on with new values; what it gets to then depends on the machine.
set -euo pipefail
base=${1:?usage: run.sh BASE_URL}
here=$(cd "$(dirname "$0")" && pwd)
venv=${VENV:-$here/../../target/schemathesis}
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi

# schemathesis keeps what failed in the working directory.
cd "$venv"
# A file of each run's own, since two may run at once.
config=$(mktemp)
trap 'rm -f "$config"' EXIT
export SCHEMATHESIS_HOOKS=hooks PYTHONPATH=$here
# Fuzzes with one credential of the document's security schemes. Configured so, schemathesis knows it for the good one: it
# sends it where an operation asks for it, and tries what happens without it and with a bad one in its place.
fuzz() {
    local scheme=$1 credential=$2
    shift 2
    { cat "$here/schemathesis.toml"; printf '\n[auth.openapi.%s]\n%s\n' "$scheme" "$credential"; } >"$config"
    "$venv/bin/schemathesis" --config-file "$config" run "$base/api/v1/openapi.json" \
        --checks all --max-examples "${EXAMPLES:-50}" ${SECONDS_EACH:+--max-time "$SECONDS_EACH"} --workers 1 \
        --generation-database none --continue-on-failure --warnings off --seed "${SEED:-311}" "$@"
}

if [[ -z ${WHISTLE_LOGIN:-} && -z ${WHISTLE_API_KEY:-} ]]; then
    echo "run.sh: set WHISTLE_LOGIN and WHISTLE_PASSWORD, or WHISTLE_API_KEY: else nothing would be tested" >&2
    exit 2
fi

failed=0
if [[ -n ${WHISTLE_LOGIN:-} ]]; then
    answer=$(curl --silent --show-error --fail "$base/api/v1/sessions" --header 'Content-Type: application/json' \
        --data "{\"login\": \"$WHISTLE_LOGIN\", \"password\": \"$WHISTLE_PASSWORD\"}")
    WHISTLE_TOKEN=$("$venv/bin/python" -c 'import json, sys; print(json.load(sys.stdin)["token"])' <<<"$answer")
    export WHISTLE_TOKEN
    echo "== with a staff session"
    # Signing out would end the session under test.
    fuzz session 'bearer = "${WHISTLE_TOKEN}"' --exclude-operation-id delete_session || failed=1
fi
if [[ -n ${WHISTLE_API_KEY:-} ]]; then
    echo "== with an API key"
    # Sessions are not for keys.
    fuzz api_key 'api_key = "${WHISTLE_API_KEY}"' --exclude-tag sessions || failed=1
fi
exit $failed
