#!/usr/bin/env bash
# Posts one signed message to a running bot, as Twilio does, and prints the TwiML it answers with.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: scripts/send-webhook.sh [options] TEXT
  --url URL      the webhook                  (default http://localhost:3002/whatsapp)
  --token TOKEN  signs; the auth token        (default: TWILIO_AUTH_TOKEN, else the simulator's)
  --from NUMBER  who writes                   (default whatsapp:+15550100123)
  --sid SID      message id, to send it twice (default: a new one)
Exit code 0 when the bot answered 200, 1 otherwise.
HELP
}

url=http://localhost:3002/whatsapp token=${TWILIO_AUTH_TOKEN:-simulator} from=whatsapp:+15550100123 sid= text=
while [ $# -gt 0 ]; do
  case $1 in
    --url) url=$2; shift 2 ;;
    --token) token=$2; shift 2 ;;
    --from) from=$2; shift 2 ;;
    --sid) sid=$2; shift 2 ;;
    -h | --help) usage; exit 0 ;;
    *) text=$1; shift ;;
  esac
done
if [ -z "$text" ]; then usage >&2; exit 1; fi
sid=${sid:-SM$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}
to=whatsapp:+14155238886

# base64(HMAC-SHA1(token, url + name and value of every field, sorted by name))
signature=$(printf '%s' "${url}Body${text}From${from}MessageSid${sid}To${to}" | openssl dgst -sha1 -hmac "$token" -binary | base64)
curl --silent --show-error --fail-with-body "$url" --header "X-Twilio-Signature: $signature" \
  --data-urlencode "Body=$text" --data-urlencode "From=$from" --data-urlencode "MessageSid=$sid" --data-urlencode "To=$to" || exit 1
echo
