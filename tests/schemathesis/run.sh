#!/usr/bin/env bash
# Fuzzes /api/v1 of a running Whistle with schemathesis, by the document that it serves: once with a staff session, once
# with an API key. Takes about three minutes.
#
#   tests/schemathesis/run.sh http://127.0.0.1:8311
#
# WHISTLE_LOGIN, WHISTLE_PASSWORD: a staff account. WHISTLE_API_KEY: a key of `whistle key add`. Without one of them its
# run is left out. The server must not limit the rate of requests. SECONDS_EACH: the time of a run; SEED: what to repeat.
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
export SCHEMATHESIS_HOOKS=hooks PYTHONPATH=$here
fuzz() {
    "$venv/bin/schemathesis" --config-file "$here/schemathesis.toml" run "$base/api/v1/openapi.json" \
        --checks all --max-examples "${EXAMPLES:-30}" --max-time "${SECONDS_EACH:-80}" --workers 1 \
        --continue-on-failure --warnings off ${SEED:+--seed "$SEED"} "$@"
}

if [[ -z ${WHISTLE_LOGIN:-} && -z ${WHISTLE_API_KEY:-} ]]; then
    echo "run.sh: set WHISTLE_LOGIN and WHISTLE_PASSWORD, or WHISTLE_API_KEY: else nothing would be tested" >&2
    exit 2
fi

failed=0
if [[ -n ${WHISTLE_LOGIN:-} ]]; then
    answer=$(curl --silent --show-error --fail "$base/api/v1/sessions" --header 'Content-Type: application/json' \
        --data "{\"login\": \"$WHISTLE_LOGIN\", \"password\": \"$WHISTLE_PASSWORD\"}")
    token=$("$venv/bin/python" -c 'import json, sys; print(json.load(sys.stdin)["token"])' <<<"$answer")
    echo "== with a staff session"
    # Signing out would end the session under test.
    fuzz --header "Authorization: Bearer $token" --exclude-operation-id delete_session || failed=1
fi
if [[ -n ${WHISTLE_API_KEY:-} ]]; then
    echo "== with an API key"
    # Sessions are not for keys.
    fuzz --header "X-Api-Key: $WHISTLE_API_KEY" --exclude-tag sessions || failed=1
fi
exit $failed
